// Says how Go's own libraries read what this project writes and accepts: a kubeconfig as client-go has it, an image as a
// node has it, a dashboard as Grafana's schema has it. One JSON object a line comes in, one a line goes out.
package main

import (
	"bufio"
	"encoding/json"
	"log"
	"os"

	"github.com/distribution/reference"
	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
	"github.com/grafana/grafana-foundation-sdk/go/stat"
	"github.com/grafana/grafana-foundation-sdk/go/timeseries"
	"k8s.io/client-go/tools/clientcmd"
)

type question struct {
	Kubeconfig []byte `json:"kubeconfig"`
	Image      string `json:"image"`
	Dashboard  []byte `json:"dashboard"`
}

type answer struct {
	Error    string `json:"error"`
	Host     string `json:"host"`
	Token    string `json:"token"`
	Username string `json:"username"`
	Password string `json:"password"`
	Insecure bool   `json:"insecure"`
	Name     string `json:"name"`
	CA       string `json:"ca"`
	Cert     string `json:"cert"`
	Key      string `json:"key"`
}

// Fields that the schema does not have are errors, and so are missing ones.
func readDashboard(text []byte) error {
	var read dashboard.Dashboard
	if err := read.UnmarshalJSONStrict(text); err != nil {
		return err
	}
	return read.Validate()
}

func read(asked question) answer {
	if asked.Dashboard != nil {
		if err := readDashboard(asked.Dashboard); err != nil {
			return answer{Error: err.Error()}
		}
		return answer{}
	}
	if asked.Kubeconfig == nil {
		if _, err := reference.ParseNormalizedNamed(asked.Image); err != nil {
			return answer{Error: err.Error()}
		}
		return answer{}
	}
	config, err := clientcmd.RESTConfigFromKubeConfig(asked.Kubeconfig)
	if err != nil {
		return answer{Error: err.Error()}
	}
	return answer{
		Host:     config.Host,
		Token:    config.BearerToken,
		Username: config.Username,
		Password: config.Password,
		Insecure: config.Insecure,
		Name:     config.ServerName,
		CA:       string(config.CAData),
		Cert:     string(config.CertData),
		Key:      string(config.KeyData),
	}
}

func main() {
	panels := cog.NewRuntime()
	panels.RegisterPanelcfgVariant(stat.VariantConfig())
	panels.RegisterPanelcfgVariant(timeseries.VariantConfig())
	panels.RegisterDataqueryVariant(prometheus.VariantConfig())
	lines := bufio.NewReader(os.Stdin)
	answers := json.NewEncoder(os.Stdout)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return
		}
		var asked question
		if err := json.Unmarshal(line, &asked); err != nil {
			log.Fatal(err)
		}
		if err := answers.Encode(read(asked)); err != nil {
			log.Fatal(err)
		}
	}
}
