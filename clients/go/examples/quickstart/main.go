// Runs a scenario on all targets that a label selector selects, waits for its end, and prints what
// became of it on each:
//
//	quickstart [SELECTOR [IMAGE]]
//
// Exits with 1 unless it succeeded on all of them. KRKN_SERVER is the address of the service,
// host:port or a URL (default 127.0.0.1:8080); with https:// the connection uses TLS. KRKN_TOKEN is
// the caller's token.
package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"log"
	"os"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"

	krkn "github.com/krkn-chaos/krkn-grpc/clients/go"
	krknv1 "github.com/krkn-chaos/krkn-grpc/clients/go/krkn/v1"
)

const scenario, defaultImage = "pod-scenarios", "quay.io/krkn-chaos/krkn-hub:pod-scenarios"

var (
	final      = map[string]bool{"Succeeded": true, "Failed": true, "Stopped": true}
	runTimeout = 15 * time.Minute
)

func main() {
	arguments := append(os.Args[1:], "", "")
	ctx, cancel := context.WithTimeout(context.Background(), runTimeout)
	defer cancel()
	if token := os.Getenv("KRKN_TOKEN"); token != "" {
		ctx = metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+token)
	}
	if err := run(ctx, arguments[0], cmp.Or(arguments[1], defaultImage)); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, selector, image string) error {
	connection, err := connect(cmp.Or(os.Getenv("KRKN_SERVER"), "127.0.0.1:8080"))
	if err != nil {
		return err
	}
	defer connection.Close()

	names, uuids, err := targets(ctx, krknv1.NewTargetServiceClient(connection), selector)
	if err != nil {
		return err
	}
	runs := krknv1.NewScenarioRunServiceClient(connection)
	started, err := runs.RunScenario(ctx, &krknv1.RunScenarioRequest{
		RequestId:     requestID(), // a retry with this id starts nothing twice
		TargetUuids:   uuids,
		ScenarioName:  scenario,
		ScenarioImage: image,
	})
	if err != nil {
		return err
	}
	succeeded := 0
	waiting := map[string]bool{}
	for _, job := range started.Jobs {
		if job.Success {
			waiting[job.JobId] = true
		} else {
			fmt.Println(names[job.TargetUuid], "refused:", job.GetError())
		}
	}
	err = watch(ctx, runs, started.RunId, waiting, func(job *krknv1.Job) {
		fmt.Println(names[job.TargetUuid], job.Status, job.GetExitCode())
		if job.Status == "Succeeded" {
			succeeded++
		}
	})
	if err == nil && succeeded < len(started.Jobs) {
		err = fmt.Errorf("%d of %d targets succeeded", succeeded, len(started.Jobs))
	}
	return err
}

func connect(server string) (*grpc.ClientConn, error) {
	address, usesTLS := strings.CutPrefix(server, "https://")
	transport := insecure.NewCredentials()
	if usesTLS {
		transport = credentials.NewTLS(nil)
	}
	address = strings.TrimPrefix(address, "http://")
	return grpc.NewClient(
		address,
		grpc.WithTransportCredentials(transport),
		grpc.WithDefaultServiceConfig(krkn.ServiceConfig),
	)
}

// targets returns the names of the selected targets by their uuid, and their uuids in order.
func targets(
	ctx context.Context, client krknv1.TargetServiceClient, selector string,
) (names map[string]string, uuids []string, err error) {
	names = map[string]string{}
	for page := ""; ; {
		reply, err := client.ListTargets(
			ctx, &krknv1.ListTargetsRequest{LabelSelector: selector, PageToken: page},
		)
		if err != nil {
			return nil, nil, err
		}
		for _, target := range reply.Targets {
			names[target.Uuid] = target.ClusterName
			uuids = append(uuids, target.Uuid)
		}
		if page = reply.NextPageToken; page == "" {
			return names, uuids, nil
		}
	}
}

// watch calls ended for each job of a run as it ends, until none is waiting any more.
func watch(
	ctx context.Context, runs krknv1.ScenarioRunServiceClient, runID string,
	waiting map[string]bool, ended func(*krknv1.Job),
) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // ends the stream
	stream, err := runs.WatchScenarioRuns(ctx, &krknv1.WatchScenarioRunsRequest{RunId: runID})
	if err != nil {
		return err
	}
	for len(waiting) > 0 {
		message, err := stream.Recv()
		if err != nil {
			return err
		}
		if message.Error != nil {
			return fmt.Errorf("the watch ended: %s", message.Error.Message)
		}
		if job := message.Job; job != nil && waiting[job.JobId] && final[job.Status] {
			delete(waiting, job.JobId)
			ended(job)
		}
	}
	return nil
}

func requestID() string {
	id := make([]byte, 16)
	rand.Read(id)
	return fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])
}
