"""Runs and their jobs for tests of decisions."""

from typing import Any

import msgspec

from krkn_grpc.resources.chaos_job import ChaosJob
from krkn_grpc.resources.chaos_run import ChaosRun, ChaosRunSpec, ChaosRunStatus, RunTarget
from krkn_grpc.resources.meta import ObjectMeta
from tests.unit.controller.jobs.builders import a_job, ago

RUN_ID = "77777777-7777-4777-8777-777777777777"
RUN_UID = "uid-of-run"


def job_id(number: int) -> str:
    return f"{number:08d}-0000-4000-8000-000000000000"


def a_run(jobs: int = 3, *, status: ChaosRunStatus | None = None, **spec: Any) -> ChaosRun:
    """A run whose jobs have the ids 0, 1, 2 ..., in this order."""
    targets = [RunTarget(target_uuid=job_id(n), job_id=job_id(n)) for n in range(jobs)]
    asked = {"fingerprint": "f", "scenario_name": "n", "scenario_image": "i"}
    return ChaosRun(
        metadata=ObjectMeta(
            name=RUN_ID,
            namespace="krkn",
            uid=RUN_UID,
            resource_version="1",
            creation_timestamp=ago(60),
        ),
        spec=ChaosRunSpec(targets=targets, **(asked | spec)),
        status=status or ChaosRunStatus(),
    )


def a_job_of(number: int, phase: str = "Pending", *, revision: int = 1, **status: Any) -> ChaosJob:
    """The job of this number in `a_run`."""
    job = a_job(run_id=RUN_ID, run_uid=RUN_UID)
    metadata = msgspec.structs.replace(
        job.metadata,
        name=job_id(number),
        uid=f"uid-{number}",
        resource_version=str(1000 * revision + number),
    )
    return msgspec.structs.replace(
        job,
        metadata=metadata,
        status=msgspec.structs.replace(job.status, phase=phase, **status),
    )
