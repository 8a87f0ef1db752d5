"""The Secrets of one job: made or claimed before its pod, gone when the pod has ended.

Their names follow from the job's id, and that alone proves nothing: each is used, and deleted,
only when the job with this very uid owns it.
"""

import contextlib
from collections.abc import Iterator, MutableMapping
from dataclasses import dataclass, field

import msgspec
from cachetools import LRUCache

from controller.jobs import pod as pods
from controller.jobs.model import Credential, Refusal
from controller.jobs.trouble import Refused
from krkn_grpc.kube.errors import AlreadyExists, Conflict, NotFound
from krkn_grpc.kube.store import Store
from krkn_grpc.resources import labels, names
from krkn_grpc.resources.chaos_job import ChaosJob
from krkn_grpc.resources.core import Secret
from krkn_grpc.resources.meta import ObjectMeta, owner_of

_MOST_MADE = 16_384


@dataclass(frozen=True)
class JobSecrets:
    """Writes, claims and deletes the Secrets of jobs.

    `made` are the uids of those that this process has made: they can be deleted without a look.
    """

    store: Store[Secret]
    made: MutableMapping[str, str] = field(default_factory=lambda: LRUCache(_MOST_MADE))

    async def prepare(self, job: ChaosJob, credential: Credential) -> None:
        """Make all Secrets of the job be there and be its own; Refused when one cannot be."""
        if job.spec.has_inputs:
            await self._claim(job, names.inputs_secret_for(job.metadata.name))
        if job.spec.pull_secret:
            await self._claim(job, names.registry_secret_for(job.metadata.name))
        wanted = pods.kubeconfig_secret(job, credential)
        try:
            made = await self.store.create(wanted)
            self.made[made.metadata.name] = made.metadata.uid
        except AlreadyExists:
            await self._check(job, wanted)

    async def delete(self, job: ChaosJob) -> None:
        """Delete what there is of the job's Secrets."""
        for name in _all_of(job):
            with contextlib.suppress(NotFound):
                if (uid := self.made.pop(name, None)) is not None:
                    await self.store.delete(name, uid=uid)
                    continue
                found = await self.store.get_metadata(name)
                if found.is_owned_by(job.metadata.uid) or _is_unclaimed(found, job):
                    await self.store.delete(name, uid=found.uid)

    async def _check(self, job: ChaosJob, wanted: Secret) -> None:
        found = await self.store.get(wanted.metadata.name)
        if not found.metadata.is_owned_by(job.metadata.uid):
            raise _not_ours(found.metadata, job)
        if found.data == wanted.data and found.immutable:
            return
        # Ours from before the credential changed; or someone's who only says that it is ours.
        await self.store.delete(found.metadata.name, uid=found.metadata.uid)
        raise Conflict("the job's Secret had another content and is made again")

    async def _claim(self, job: ChaosJob, name: str) -> None:
        """Make the job the owner of a Secret that the server wrote for it."""
        try:
            found = await self.store.get_metadata(name)
        except NotFound:
            missing = Refusal("InputsMissing", f"The job's Secret {name} does not exist.")
            raise Refused(missing) from None
        if found.is_owned_by(job.metadata.uid):
            return
        if not _is_unclaimed(found, job):
            raise _not_ours(found, job)
        version = {"op": "test", "path": "/metadata/resourceVersion"}
        owner = {"op": "add", "path": "/metadata/ownerReferences"}
        await self.store.patch(
            name,
            [
                version | {"value": found.resource_version},
                owner | {"value": [msgspec.to_builtins(owner_of(job))]},
            ],
        )


def _all_of(job: ChaosJob) -> Iterator[str]:
    job_id = job.metadata.name
    yield names.kubeconfig_secret_for(job_id)
    if job.spec.has_inputs:
        yield names.inputs_secret_for(job_id)
    if job.spec.pull_secret:
        yield names.registry_secret_for(job_id)


def _is_unclaimed(found: ObjectMeta, job: ChaosJob) -> bool:
    """Whether the server wrote it for this job and the job is not its owner yet."""
    is_inputs = found.name != names.kubeconfig_secret_for(job.metadata.name)
    is_for_it = found.labels.get(labels.JOB_ID) == job.metadata.name
    return is_inputs and is_for_it and not found.owner_references


def _not_ours(found: ObjectMeta, job: ChaosJob) -> Exception:
    """Return what another one's Secret means: it is in the way, or it is about to go."""
    owners = [(owner.kind, owner.name) for owner in found.owner_references]
    if (job.KIND.name, job.metadata.name) in owners:
        return Conflict("a Secret of a deleted job with the same id still exists")
    message = f"A Secret named {found.name} exists and is not the job's."
    return Refused(Refusal("NameTaken", message))
