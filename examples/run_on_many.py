"""Runs a scenario on many targets at once, watches them to the end, and prints a table.

    python -m examples.run_on_many SCENARIO IMAGE [TARGET_UUID ...]

Without targets it runs on every registered one. Exits with 1 if a target was refused or its
scenario did not succeed. KRKN_SERVER is the address of the service (default 127.0.0.1:8080),
KRKN_TOKEN the caller's token.
"""

import json
import os
import sys
import time
import uuid
from collections.abc import Iterator

import grpc
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from rich.text import Text

from krkn_grpc.v1.scenario_runs_pb2 import (
    GetScenarioRunStatusRequest,
    Job,
    RunScenarioRequest,
    WatchScenarioRunsRequest,
)
from krkn_grpc.v1.scenario_runs_pb2 import WatchScenarioRunsResponse as Message
from krkn_grpc.v1.scenario_runs_pb2_grpc import ScenarioRunServiceStub
from krkn_grpc.v1.targets_pb2 import ListTargetsRequest
from krkn_grpc.v1.targets_pb2_grpc import TargetServiceStub

SERVER = os.environ.get("KRKN_SERVER") or "127.0.0.1:8080"
TOKEN = os.environ.get("KRKN_TOKEN", "")
METADATA = (("authorization", f"Bearer {TOKEN}"),) if TOKEN else ()
DELETED = "Deleted"  # this program's status of a job that was deleted before it ended
FINAL = ("Succeeded", "Failed", "Stopped", DELETED)
# The codes of a lost connection, also when a proxy is in between.
LOST = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN)
TOO_OLD = grpc.StatusCode.OUT_OF_RANGE.value[0]
# Codes of the ERROR that ends a watch: slow reader; token too old; internal error; unavailable.
MAY_GO_ON = (8, TOO_OLD, 13, 14)

# gRPC itself retries a call when the connection is lost. That is safe for reads, and for a run
# with a requestId: the same id with the same body never starts anything twice.
RETRIES = {
    "methodConfig": [
        {
            "name": [
                {"service": "krkn.v1.ScenarioRunService"},
                {"service": "krkn.v1.TargetService"},
            ],
            "retryPolicy": {
                "maxAttempts": 5,
                "initialBackoff": "0.5s",
                "maxBackoff": "10s",
                "backoffMultiplier": 3,
                "retryableStatusCodes": ["UNAVAILABLE"],
            },
        }
    ]
}


def registered(service: TargetServiceStub) -> dict[str, str]:
    """Return the cluster names of all targets, by uuid."""
    names: dict[str, str] = {}
    request = ListTargetsRequest()
    while True:
        page = service.ListTargets(request, metadata=METADATA)
        names |= {target.uuid: target.cluster_name for target in page.targets}
        if not page.next_page_token:
            return names
        request.page_token = page.next_page_token


def watched(service: ScenarioRunServiceStub, selector: str) -> Iterator[Message | None]:
    """Yield the messages of a watch, resumed when it is cut; None when it starts from scratch."""
    request = WatchScenarioRunsRequest(label_selector=selector)
    while True:
        if not request.resume_token:
            yield None
        try:
            for message in service.WatchScenarioRuns(request, metadata=METADATA):
                if message.type == "ERROR":
                    code, said = message.error.code, message.error.message
                    if code not in MAY_GO_ON:
                        sys.exit(f"The watch ended: {said}")
                    request.resume_token = "" if code == TOO_OLD else request.resume_token
                    break
                # Messages before SYNCED have no token: if the watch is cut there, it starts over.
                request.resume_token = message.resume_token or request.resume_token
                yield message
        except grpc.RpcError as error:
            if error.code() is grpc.StatusCode.OUT_OF_RANGE:
                request.resume_token = ""
            elif error.code() not in LOST:
                raise
            time.sleep(0.5)


def ends(service: ScenarioRunServiceStub, selector: str, started: set[str]) -> Iterator[Job]:
    """Yield each job of the run when it has ended, until all have ended."""
    waiting, told = set(started), set[str]()
    for message in watched(service, selector):
        if message is None:
            told = set()
            continue
        jobs = [message.job]
        if message.type == "SYNCED":
            # Jobs that were deleted before the watch could report them.
            jobs = [current(service, job_id) for job_id in waiting - told]
        elif message.type == "DELETED" and message.job.status not in FINAL:
            message.job.status = DELETED
        told.add(message.job.job_id)
        for job in jobs:
            if job.job_id in waiting and job.status in FINAL:
                waiting.remove(job.job_id)
                yield job
        if not waiting:
            return


def current(service: ScenarioRunServiceStub, job_id: str) -> Job:
    """Return a job as it is now."""
    try:
        request = GetScenarioRunStatusRequest(job_id=job_id)
        return service.GetScenarioRunStatus(request, metadata=METADATA)
    except grpc.RpcError as error:
        if error.code() is not grpc.StatusCode.NOT_FOUND:
            raise
        return Job(job_id=job_id, status=DELETED)


def run(channel: grpc.Channel, scenario: str, image: str, wanted: list[str]) -> bool:
    """Run the scenario, show the progress, print a table; return whether all succeeded."""
    names = registered(TargetServiceStub(channel))
    service = ScenarioRunServiceStub(channel)
    run_id = str(uuid.uuid4())
    reply = service.RunScenario(
        RunScenarioRequest(
            request_id=run_id,
            target_uuids=wanted or list(names),
            scenario_name=scenario,
            scenario_image=image,
            labels={"run": run_id},  # to watch these jobs and no others
        ),
        metadata=METADATA,
    )
    started = {each.job_id for each in reply.jobs if each.success}
    ended: dict[str, Job] = {}
    if started:
        with Progress(console=Console(stderr=True)) as progress:
            bar = progress.add_task(scenario, total=len(started))
            for job in ends(service, f"run={run_id}", started):
                ended[job.job_id] = job
                progress.advance(bar)

    table = Table("target", "status", "exit code", "why")
    for each in reply.jobs:
        name = names.get(each.target_uuid, each.target_uuid)
        if each.success:
            job = ended[each.job_id]
            code = str(job.exit_code) if job.HasField("exit_code") else ""
            row = (name, job.status, code, job.message)
        else:
            row = (name, each.status, "", each.error)
        table.add_row(*map(Text, row))
    Console().print(table)
    return not reply.failed_jobs and all(job.status == "Succeeded" for job in ended.values())


def main() -> None:
    """Run with the arguments of the command line."""
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    _, scenario, image, *wanted = sys.argv
    options = [
        ("grpc.service_config", json.dumps(RETRIES)),
        # Without TLS a proxy could read the token, so no proxy is used.
        ("grpc.enable_http_proxy", 0),
    ]
    try:
        with grpc.insecure_channel(SERVER, options) as channel:
            is_all_well = run(channel, scenario, image, wanted)
    except grpc.RpcError as error:
        sys.exit(f"The call to {SERVER} failed: {error.details()}")
    sys.exit(0 if is_all_well else 1)


if __name__ == "__main__":
    main()
