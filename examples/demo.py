"""Demonstrates all steps: register three clusters, run a scenario on them, show each result.

`make run` writes the kubeconfigs of three demo clusters; `make demo` runs this program beside it.
KRKN_SERVER is the address of the service (default 127.0.0.1:8080).
A fourth target does not exist, to show that one target's failure does not affect the others. The
program deletes the targets that it registered; targets registered before are used and kept.
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

SERVER = os.environ.get("KRKN_SERVER") or "127.0.0.1:8080"
# The server is on this machine: connect directly, even if the environment names a proxy.
DIRECT = [("grpc.enable_http_proxy", 0)]
KUBECONFIGS = Path(".local")
SCENARIO = "pod-scenarios"
IMAGE = "quay.io/krkn-chaos/krkn-hub:pod-scenarios"
FINAL = {"Succeeded", "Failed", "Stopped"}
READY_SECONDS = 20


@contextmanager
def registered(service: TargetServiceStub, kubeconfigs: list[Path]) -> Iterator[dict[str, str]]:
    """Register the clusters as demo-1 and so on; yield the names by target uuid."""
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
    """Wait up to 20 s until the target is ready; return whether it is."""
    for _ in range(READY_SECONDS * 5):
        if service.GetTarget(targets.GetTargetRequest(uuid=target)).ready:
            return True
        time.sleep(0.2)
    return False


def outcome(service: ScenarioRunServiceStub, started: runs.TargetJobResult) -> str:
    """Wait until the job is final, and return its result as text."""
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
    with grpc.insecure_channel(SERVER, DIRECT) as channel:
        target_service, run_service = TargetServiceStub(channel), ScenarioRunServiceStub(channel)
        with registered(target_service, kubeconfigs) as names:
            for target, name in names.items():
                ready = "ready" if wait_until_ready(target_service, target) else "not ready"
                print(f"{name} is registered and {ready}")
            demonstrate(run_service, names | {str(uuid.uuid4()): "unknown"})


def demonstrate(service: ScenarioRunServiceStub, names: dict[str, str]) -> None:
    """Run the scenario on all these targets and print the result on each."""
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
