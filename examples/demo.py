"""Shows the whole way once: register three clusters, run a scenario on them, see each result.

`make run` wrote the kubeconfigs of three clusters to try with; `make demo` starts this beside it.
A fourth target does not exist, to show that one target's failure touches no other. What it
registered it deletes again; clusters that were registered before are used as they are, and stay.
"""

import os
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc

from krkn_grpc.v1 import scenario_runs_pb2 as runs
from krkn_grpc.v1 import targets_pb2 as targets
from krkn_grpc.v1.scenario_runs_pb2_grpc import ScenarioRunServiceStub
from krkn_grpc.v1.targets_pb2_grpc import TargetServiceStub

SERVER = f"127.0.0.1:{os.environ.get('KRKN_REST_PORT') or 8080}"
KUBECONFIGS = Path(".local")
SCENARIO = "pod-scenarios"
IMAGE = "quay.io/krkn-chaos/krkn-hub:pod-scenarios"
FINAL = {"Succeeded", "Failed", "Stopped"}
READY_SECONDS = 20


@contextmanager
def registered(service: TargetServiceStub, kubeconfigs: list[Path]) -> Iterator[dict[str, str]]:
    """Have the clusters as targets, demo-1 and so on: their names by the targets' uuids."""
    listed = service.ListTargets(targets.ListTargetsRequest()).targets
    known = {target.cluster_name: target.uuid for target in listed}
    names: dict[str, str] = {}
    ours: list[str] = []
    try:
        for number, kubeconfig in enumerate(kubeconfigs, 1):
            name = f"demo-{number}"
            if name not in known:
                request = targets.CreateTargetRequest(
                    cluster_name=name, secret_type="kubeconfig", kubeconfig=kubeconfig.read_text()
                )
                known[name] = service.CreateTarget(request).uuid
                ours.append(known[name])
            names[known[name]] = name
        yield names
    finally:
        for target in ours:
            service.DeleteTarget(targets.DeleteTargetRequest(uuid=target))


def wait_until_ready(service: TargetServiceStub, target: str) -> bool:
    """Wait until the cluster has been reached with the credential that was given."""
    for _ in range(READY_SECONDS * 5):
        if service.GetTarget(targets.GetTargetRequest(uuid=target)).ready:
            return True
        time.sleep(0.2)
    return False


def outcome(service: ScenarioRunServiceStub, started: runs.TargetJobResult) -> str:
    """Say what became of the scenario on one target, once it is final."""
    if not started.success:
        return f"refused: {started.error}"
    request = runs.GetScenarioRunStatusRequest(job_id=started.job_id)
    while (job := service.GetScenarioRunStatus(request)).status not in FINAL:
        time.sleep(0.2)
    code = f" (exit code {job.exit_code})" if job.HasField("exit_code") else ""
    return f"{job.status}{code}"


def main() -> None:
    """Run the demonstration."""
    kubeconfigs = sorted(KUBECONFIGS.glob("demo-target-*.kubeconfig"))
    if not kubeconfigs:
        sys.exit("There are no clusters to try with: start `make run` in another terminal first.")
    with grpc.insecure_channel(SERVER) as channel:
        target_service, run_service = TargetServiceStub(channel), ScenarioRunServiceStub(channel)
        with registered(target_service, kubeconfigs) as names:
            for target, name in names.items():
                ready = "ready" if wait_until_ready(target_service, target) else "not ready"
                print(f"{name} is registered and {ready}")
            demonstrate(run_service, names | {str(uuid.uuid4()): "unknown"})


def demonstrate(service: ScenarioRunServiceStub, names: dict[str, str]) -> None:
    """Run the scenario on all these targets and print what comes of it on each."""
    answer = service.RunScenario(
        runs.RunScenarioRequest(
            request_id=str(uuid.uuid4()),  # makes it safe to send the call again
            target_uuids=names,
            scenario_name=SCENARIO,
            scenario_image=IMAGE,
        )
    )
    started, refused = answer.successful_jobs, answer.failed_jobs
    print(f"\n{SCENARIO} on {len(names)} targets: {started} jobs started, {refused} refused\n")
    for job in answer.jobs:
        print(f"{names[job.target_uuid]:8} {outcome(service, job)}", flush=True)


if __name__ == "__main__":
    try:
        main()
    except grpc.RpcError as error:
        sys.exit(f"The call to {SERVER} failed: {error.details()}")
