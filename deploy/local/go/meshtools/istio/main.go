// What Istio makes of our objects, without a cluster. The program reads YAML from standard input.
//
//	istio inject CONFIG VALUES MESH  writes the pods as Istio's injector would, with the files of its ConfigMaps
//	istio proxy NAMESPACE            writes the clusters and routes of a caller's proxy in that namespace, as JSON
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"istio.io/istio/pilot/pkg/config/kube/crd"
	"istio.io/istio/pilot/pkg/model"
	"istio.io/istio/pilot/test/xds"
	"istio.io/istio/pkg/config/mesh"
	"istio.io/istio/pkg/kube/inject"
	"istio.io/istio/pkg/log"
	"istio.io/istio/pkg/test"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) error {
	// Istio logs to standard output unless it is told otherwise.
	logging := log.DefaultOptions()
	logging.OutputPaths = []string{"stderr"}
	if err := log.Configure(logging); err != nil {
		return err
	}
	switch {
	case len(args) == 4 && args[0] == "inject":
		return injected(args[1], args[2], args[3])
	case len(args) == 2 && args[0] == "proxy":
		return proxied(args[1])
	}
	return fmt.Errorf("usage: istio inject CONFIG VALUES MESH | istio proxy NAMESPACE")
}

func injected(configFile, valuesFile, meshFile string) error {
	config, err := os.ReadFile(configFile)
	if err != nil {
		return err
	}
	templates, err := inject.UnmarshalConfig(config)
	if err != nil {
		return err
	}
	text, err := os.ReadFile(valuesFile)
	if err != nil {
		return err
	}
	values, err := inject.NewValuesConfig(string(text))
	if err != nil {
		return err
	}
	meshConfig, err := mesh.ReadMeshConfig(meshFile)
	if err != nil {
		return err
	}
	warn := func(warning string) { fmt.Fprintln(os.Stderr, warning) }
	return inject.IntoResourceFile(nil, templates.Templates, values, "", meshConfig, os.Stdin, os.Stdout, warn)
}

func proxied(namespace string) error {
	read, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	var objects, configs []string
	for _, document := range strings.Split(string(read), "\n---\n") {
		if strings.Contains(document, "istio.io/") {
			configs = append(configs, document)
		} else {
			objects = append(objects, document)
		}
	}
	parsed, _, err := crd.ParseInputs(strings.Join(configs, "\n---\n"))
	if err != nil {
		return err
	}
	for i := range parsed {
		// As a cluster's name servers have it: short names of hosts are made whole with it.
		parsed[i].Domain = "cluster.local"
	}
	answer := map[string][]json.RawMessage{}
	err = test.Wrap(func(t test.Failer) {
		server := xds.NewFakeDiscoveryServer(t, xds.FakeOptions{
			KubernetesObjectString: strings.Join(objects, "\n---\n"),
			Configs:                parsed,
		})
		proxy := server.SetupProxy(&model.Proxy{ConfigNamespace: namespace})
		for _, cluster := range server.Clusters(proxy) {
			answer["clusters"] = append(answer["clusters"], asJSON(t, cluster))
		}
		for _, route := range server.Routes(proxy) {
			answer["routes"] = append(answer["routes"], asJSON(t, route))
		}
	})
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(answer)
}

func asJSON(t test.Failer, message proto.Message) json.RawMessage {
	text, err := protojson.Marshal(message)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
