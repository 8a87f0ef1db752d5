"""The identity of a call that runs a scenario, and its record: the stored run. Pure.

The name of the run is computed from the call, so that a repetition of the call finds it; it lists
the id of each of its jobs, so that a repetition has the same jobs.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import NamedTuple

import msgspec

from krkn_grpc.resources import ids
from krkn_grpc.resources.chaos_run import ChaosRun
from krkn_grpc.server.digests import slow_digest
from krkn_grpc.server.runs.model import Run


class Identity(NamedTuple):
    """The identity of a call: the run's id, and a fingerprint of the whole request."""

    run_id: str
    fingerprint: str


@dataclass(frozen=True)
class Record:
    """The stored run of a call; `is_new` when this call wrote it."""

    run: ChaosRun
    is_new: bool

    @property
    def uid(self) -> str:
        """The uid of the run, which another run of the same id does not have."""
        return self.run.metadata.uid

    @cached_property
    def job_ids(self) -> dict[str, str]:
        """The id of the job on each target that gets one."""
        return {each.target_uuid: each.job_id for each in self.run.spec.targets}

    @cached_property
    def refused(self) -> dict[str, str]:
        """The targets that get no job, each with its error."""
        return {each.target_uuid: each.error for each in self.run.spec.refused}

    def is_closed(self, now: datetime, longest_call: timedelta) -> bool:
        """Whether a job that is missing must not be written any more: it counts as refused soon.

        `longest_call` is the longest time of a call's writes; one that begins now has that long.
        """
        written_by = self.run.written_by(longest_call)
        return not self.is_new and written_by is not None and now + longest_call >= written_by


def identity(run: Run, caller: str, call_id: str) -> Identity:
    """Return the identity of a call; takes 50 ms where the call has a secret.

    With a requestId, the identity is that and the caller. Without one, it is the call's
    x-request-id, which a proxy keeps over its retries, with the caller and the whole request.
    """
    fingerprint = _fingerprint(run, salt=f"{run.request_id or call_id}/{caller}")
    if run.request_id:
        return Identity(run_of_request(run.request_id, caller), fingerprint)
    return Identity(ids.hashed_id(f"call/{call_id}/{fingerprint}/{caller}"), fingerprint)


def run_of_request(request_id: str, caller: str) -> str:
    """Return the id of the run that a caller's requestId makes."""
    return ids.hashed_id(f"{request_id}/{caller}")


def _fingerprint(run: Run, salt: str) -> str:
    """Return a digest of the whole request."""
    asked = {
        "targets": run.target_uuids,
        # As asked: the same request stays the same when the catalogue changes.
        "image": run.asked_image,
        "name": run.scenario_name,
        "path": run.asked_path,
        "environment": sorted(run.environment.items()),
        "secretEnvironment": sorted(run.secret_environment),
        "files": [(file.name, file.mount_path) for file in run.files],
        "registry": (run.registry_url, run.registry.username if run.registry else None),
        "limits": (run.timeout_seconds, run.ttl_seconds_after_finished, run.require_ready),
        "queue": (run.queue_seconds, run.on_busy),
        "run": (run.max_parallel, run.max_failures, run.abort_running, run.abort_on),
        "labels": sorted(run.labels.items()),
        "ignored": sorted(run.ignored.items()),
        "secrets": _digest_of_secrets(run, salt),
    }
    return hashlib.sha256(msgspec.json.encode(asked)).hexdigest()


def _digest_of_secrets(run: Run, salt: str) -> str:
    secrets = [
        *(value.encode() for _, value in sorted(run.secret_environment.items())),
        *(file.content for file in run.files),
    ]
    if run.registry is not None:
        secrets.append(run.registry.password.encode())
    if not secrets:
        return ""
    return slow_digest(b"".join(hashlib.sha256(each).digest() for each in secrets), salt)
