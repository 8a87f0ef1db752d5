"""Keeps the service of `make run` busy, so that its metrics have something to show.

    python -m examples.load [SECONDS]      (300, unless it is said; Ctrl-C ends it sooner)

Scenarios run on the three demo clusters, now more and now fewer of them. Some fail, one in ten is
stopped, and a fourth cluster does not answer. What was registered is deleted at the end.
"""

import contextlib
import itertools
import math
import sys
import threading
import time
from collections.abc import Iterator

import grpc
import yaml

from examples.demo import DIRECT, IMAGE, KUBECONFIGS, SERVER, registered, wait_until_ready
from krkn_grpc.v1 import runs_pb2
from krkn_grpc.v1 import scenario_runs_pb2 as runs
from krkn_grpc.v1 import targets_pb2 as targets
from krkn_grpc.v1.scenario_runs_pb2_grpc import ScenarioRunServiceStub
from krkn_grpc.v1.targets_pb2_grpc import TargetServiceStub

SECONDS = 300
WAVE_SECONDS = 120
# What the simulated node makes of them: deploy/local/fake_node/stages/README.md.
ENDINGS = ("", "-lasts-5s", "-lasts-12s", "", "-lasts-3s-exit-1", "", "-lasts-20s", "-oom-killed")
STOPPED = 10
"""One of so many runs is stopped."""


def main() -> None:
    """Run the load."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS
    kubeconfigs = sorted(KUBECONFIGS.glob("demo-target-*.kubeconfig"))
    if not kubeconfigs:
        sys.exit("There are no clusters to try with: start `make run` in another terminal first.")
    with grpc.insecure_channel(SERVER, DIRECT) as channel:
        target_service, run_service = TargetServiceStub(channel), ScenarioRunServiceStub(channel)
        with (
            registered(target_service, kubeconfigs) as names,
            unreachable(target_service, kubeconfigs[0].read_text()),
        ):
            for target in names:
                wait_until_ready(target_service, target)
            watch = run_service.WatchScenarioRuns(runs.WatchScenarioRunsRequest())
            threading.Thread(target=follow, args=(watch,), daemon=True).start()
            with contextlib.suppress(KeyboardInterrupt):
                keep_busy(run_service, list(names), time.monotonic() + seconds)
            watch.cancel()


@contextlib.contextmanager
def unreachable(service: TargetServiceStub, kubeconfig: str) -> Iterator[None]:
    """Register a cluster at an address where nothing listens."""
    content = yaml.safe_load(kubeconfig)
    content["clusters"][0]["cluster"]["server"] = "https://127.0.0.1:1"
    request = targets.CreateTargetRequest(
        cluster_name="demo-gone", secret_type="kubeconfig", kubeconfig=yaml.safe_dump(content)
    )
    uuid = service.CreateTarget(request).uuid
    try:
        yield
    finally:
        service.DeleteTarget(targets.DeleteTargetRequest(uuid=uuid))


def follow(watch: Iterator[runs.WatchScenarioRunsResponse]) -> None:
    """Read a watch until it is cancelled."""
    with contextlib.suppress(grpc.RpcError):
        for _ in watch:
            pass


def keep_busy(service: ScenarioRunServiceStub, uuids: list[str], end: float) -> None:
    """Run scenarios until `end`, which is by the monotonic clock."""
    for number, ending in enumerate(itertools.cycle(ENDINGS)):
        if time.monotonic() > end:
            return
        request = runs.RunScenarioRequest(
            target_uuids=uuids[: 1 + number % len(uuids)],
            scenario_name="pod-scenarios",
            scenario_image=f"{IMAGE}{ending}",
            max_parallel=2,
            ttl_seconds_after_finished=WAVE_SECONDS,
        )
        started = service.RunScenario(request)
        service.ListScenarioRuns(runs.ListScenarioRunsRequest(page_size=10))
        for job in started.jobs:
            service.GetScenarioRunStatus(runs.GetScenarioRunStatusRequest(job_id=job.job_id))
        if number % STOPPED == STOPPED - 1:
            service.StopRun(runs_pb2.StopRunRequest(run_id=started.run_id))
        share_of_wave = time.monotonic() % WAVE_SECONDS / WAVE_SECONDS
        time.sleep(1.5 + math.sin(2 * math.pi * share_of_wave))


if __name__ == "__main__":
    try:
        main()
    except grpc.RpcError as error:
        sys.exit(f"The call to {SERVER} failed: {error.details()}")
