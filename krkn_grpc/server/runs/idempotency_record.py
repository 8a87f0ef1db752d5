"""The record of one call that runs a scenario: the call's identity and its jobs' ids. Pure.

A record is a Lease. Its name is computed from the call, so that a repetition of the call finds it;
its uid and a target determine the jobId, so that a repetition has the same jobs.
"""

import hashlib
from dataclasses import dataclass
from typing import NamedTuple

import msgspec

from krkn_grpc.resources import ids, names, well_known
from krkn_grpc.resources.core import Lease
from krkn_grpc.server.digests import slow_digest
from krkn_grpc.server.runs.model import Run


class Identity(NamedTuple):
    """The identity of a call: the run's id, and a fingerprint of the whole request.

    `holder` is the id by which operators find the call: its requestId, or its x-request-id.
    """

    run_id: str
    fingerprint: str
    holder: str


@dataclass(frozen=True)
class Record:
    """The stored record of a call; `is_new` when this call wrote it."""

    lease: Lease
    is_new: bool

    @property
    def run_id(self) -> str:
        """The id in the record's name."""
        return self.lease.metadata.name.removeprefix(names.REQUEST_RECORD)

    @property
    def uid(self) -> str:
        """The uid of the record, which another record of the same name does not have."""
        return self.lease.metadata.uid

    def job_id(self, target_uuid: str) -> str:
        """Return the id of this call's job on a target; it is always the same."""
        acquired = self.lease.spec.acquire_time
        assert acquired is not None, "a record says when it was made"
        return ids.derived_id(acquired, f"{self.uid}/{target_uuid}")

    def is_claimed(self, job_id: str) -> bool:
        """Whether the controller has claimed this id for a job: no other job of this id starts."""
        return well_known.claimed(job_id) in self.lease.metadata.annotations


def identity(run: Run, caller: str, call_id: str) -> Identity:
    """Return the identity of a call; takes 50 ms where the call has a secret.

    With a requestId, the identity is that and the caller. Without one, it is the call's
    x-request-id, which a proxy keeps over its retries, with the caller and the whole request.
    """
    holder = run.request_id or call_id
    fingerprint = _fingerprint(run, salt=f"{holder}/{caller}")
    if run.request_id:
        return Identity(ids.hashed_id(f"{run.request_id}/{caller}"), fingerprint, holder)
    return Identity(ids.hashed_id(f"call/{call_id}/{fingerprint}/{caller}"), fingerprint, holder)


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
