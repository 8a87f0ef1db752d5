"""The Secrets of one job: created or claimed before its pod, deleted when the pod has ended.

Their names follow from the job's id, which proves nothing alone. Each is used only when its owner
reference has the job's uid, and deleted only then or while it is unclaimed.
"""

import contextlib
from collections.abc import Iterator, MutableMapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
from cachetools import LRUCache

from controller.jobs import pod as pods
from controller.jobs.create_errors import StartRefused, Troubles, told_as
from controller.reason import Reason
from krkn_grpc.kube.client import ResourceClient
from krkn_grpc.kube.errors import AlreadyExists, Conflict, Invalid, NotFound, RuleBroken
from krkn_grpc.resources import names, well_known
from krkn_grpc.resources.chaos_job import ChaosJob
from krkn_grpc.resources.core import Secret
from krkn_grpc.resources.credential_secret import Credential
from krkn_grpc.resources.meta import ObjectMeta, owner_of

_MOST_MADE = 16_384
_TROUBLES = Troubles.of("Secret", "a Secret of the job")


@dataclass(frozen=True)
class JobSecrets:
    """Writes, claims and deletes the Secrets of jobs.

    `made` has the uids of Secrets that this process created: they are deleted without a read.
    """

    client: ResourceClient[Secret]
    made: MutableMapping[str, str] = field(default_factory=lambda: LRUCache(_MOST_MADE))

    async def prepare(self, job: ChaosJob, credential: Credential) -> None:
        """Create or claim all Secrets of the job; raises StartRefused when one is not possible."""
        if job.spec.has_inputs:
            await self._claim(job, names.inputs_secret_for(job.metadata.name))
        if job.spec.pull_secret:
            await self._claim(job, names.registry_secret_for(job.metadata.name))
        wanted = pods.kubeconfig_secret(job, credential)
        try:
            with told_as(_TROUBLES):
                made = await self.client.create(wanted)
            self.made[made.metadata.name] = made.metadata.uid
        except AlreadyExists:
            await self._check(job, wanted)

    async def delete(self, job: ChaosJob) -> None:
        """Delete those of the job's Secrets that exist."""
        for name in _all_of(job):
            with contextlib.suppress(NotFound):
                if (uid := self.made.pop(name, None)) is not None:
                    await self.client.delete(name, uid=uid)
                    continue
                found = await self.client.get_metadata(name)
                if found.is_owned_by(job.metadata.uid) or _is_unclaimed(found, job):
                    await self.client.delete(name, uid=found.uid)

    async def _check(self, job: ChaosJob, wanted: Secret) -> None:
        found = await self.client.get(wanted.metadata.name)
        if not found.metadata.is_owned_by(job.metadata.uid):
            raise _not_ours(found.metadata, job)
        if found.data == wanted.data and found.immutable:
            return
        # Ours, from before the credential changed; or a foreign one with our owner reference.
        await self.client.delete(found.metadata.name, uid=found.metadata.uid)
        raise Conflict("the job's Secret had another content and is made again")

    async def _claim(self, job: ChaosJob, name: str) -> None:
        """Make the job the owner of a Secret that the server wrote for it."""
        try:
            found = await self.client.get_metadata(name)
        except NotFound:
            missing = Reason("InputsMissing", f"The job's Secret {name} does not exist.")
            raise StartRefused(missing) from None
        if found.is_owned_by(job.metadata.uid):
            return
        if not _is_unclaimed(found, job):
            raise _not_ours(found, job)
        version = {"op": "test", "path": "/metadata/resourceVersion"}
        owner = {"op": "add", "path": "/metadata/ownerReferences"}
        change: list[dict[str, Any]] = [
            version | {"value": found.resource_version},
            owner | {"value": [msgspec.to_builtins(owner_of(job))]},
        ]
        with told_as(_TROUBLES):
            try:
                await self.client.patch(name, change)
            except RuleBroken:
                raise
            except Invalid as error:
                raise Conflict("the Secret is not as it was seen") from error


def _all_of(job: ChaosJob) -> Iterator[str]:
    job_id = job.metadata.name
    yield names.kubeconfig_secret_for(job_id)
    if job.spec.has_inputs:
        yield names.inputs_secret_for(job_id)
    if job.spec.pull_secret:
        yield names.registry_secret_for(job_id)


def _is_unclaimed(found: ObjectMeta, job: ChaosJob) -> bool:
    """Whether the server wrote the Secret for this job, and it has no owner reference yet."""
    is_inputs = found.name != names.kubeconfig_secret_for(job.metadata.name)
    is_for_it = found.labels.get(well_known.JOB_ID) == job.metadata.name
    return is_inputs and is_for_it and not found.owner_references


def _not_ours(found: ObjectMeta, job: ChaosJob) -> Exception:
    """Return Conflict for a Secret of a deleted job with this id, else StartRefused."""
    owners = [(owner.kind, owner.name) for owner in found.owner_references]
    if (job.KIND.name, job.metadata.name) in owners:
        return Conflict("a Secret of a deleted job with the same id still exists")
    message = f"A Secret named {found.name} exists and is not the job's."
    return StartRefused(Reason("NameTaken", message))
