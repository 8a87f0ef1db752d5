"""Runs a scenario on every registered target and prints the result on each."""

from krkn_grpc.client.plain import Krkn

with Krkn() as krkn:
    targets = sorted(krkn.targets.list(), key=lambda target: target.cluster_name)
    run = krkn.run(
        "pod-scenarios",
        targets,
        image="quay.io/krkn-chaos/krkn-hub:pod-scenarios",
        timeout_seconds=600,
    )
    print(run.wait().table())
