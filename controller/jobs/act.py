"""Does what was decided. Every write is a create by name or carries what it expects to find."""

import contextlib
from dataclasses import dataclass
from typing import Any, assert_never

import msgspec

from controller.jobs import pod as pods
from controller.jobs.model import (
    Action,
    CreatePod,
    DeleteJob,
    DeletePod,
    DeleteSecrets,
    Refusal,
    ReleaseJob,
    ReleasePod,
    SetStatus,
    Ungate,
)
from controller.jobs.pod import PullPolicy
from krkn_grpc.kube.cache import WatchCache
from krkn_grpc.kube.errors import AlreadyExists, NotFound
from krkn_grpc.kube.store import Store
from krkn_grpc.resources import labels, names
from krkn_grpc.resources.chaos_job import ChaosJob
from krkn_grpc.resources.core import Lease, Secret
from krkn_grpc.resources.kubeconfig import Kubeconfig
from krkn_grpc.resources.meta import ObjectMeta, owner_of
from krkn_grpc.resources.pod import LocalReference, Pod


class Refused(Exception):
    """The job must not start, for a reason that only showed when it was tried."""

    def __init__(self, refusal: Refusal) -> None:
        """Keep the reason for the job's status."""
        super().__init__(refusal.message)
        self.refusal = refusal


@dataclass(frozen=True)
class Actor:
    """Writes pods, Secrets and the status of jobs."""

    jobs: WatchCache[ChaosJob]
    pods: WatchCache[Pod]
    secrets: Store[Secret]
    leases: Store[Lease]
    pull_policy: PullPolicy
    grace_seconds: int

    async def act(self, action: Action) -> None:
        """Do one thing; Conflict or Invalid when something is not as it was seen."""
        match action:
            case CreatePod(job, kubeconfig):
                await self._create_pod(job, kubeconfig)
            case SetStatus(job, status):
                self.jobs.remember(await self.jobs.store.replace_status(job, status))
            case Ungate(pod):
                await self._ungate(pod)
            case DeletePod(pod, only_as_seen):
                seen = pod.metadata
                version = seen.resource_version if only_as_seen else None
                with contextlib.suppress(NotFound):
                    await self.pods.store.delete(seen.name, uid=seen.uid, resource_version=version)
            case ReleasePod(pod):
                await self._release(pod)
            case DeleteSecrets(job):
                await self._delete_secrets(job)
            case DeleteJob(job):
                with contextlib.suppress(NotFound):
                    await self.jobs.store.delete(job.metadata.name, uid=job.metadata.uid)
            case ReleaseJob(job):
                await self._release_job(job)
            case _:
                assert_never(action)

    async def _create_pod(self, job: ChaosJob, kubeconfig: Kubeconfig) -> None:
        # The Secrets come first: a pod that exists has all that it needs to start.
        if job.spec.has_inputs:
            await self._claim(job, names.inputs_secret_for(job.metadata.name))
        if job.spec.pull_secret:
            await self._claim(job, names.registry_secret_for(job.metadata.name))
        secret = pods.kubeconfig_secret(job, kubeconfig)
        try:
            await self.secrets.create(secret)
        except AlreadyExists:
            found = await self.secrets.get(secret.metadata.name)
            if not found.metadata.is_owned_by(job.metadata.uid) or found.data != secret.data:
                raise Refused(_taken(secret.metadata.name)) from None
        pod = pods.pod(job, self.pull_policy, self.grace_seconds)
        try:
            self.pods.remember(await self.pods.store.create(pod))
        except AlreadyExists:
            # Ours from a write that was thought lost, or not: the next look decides.
            self.pods.remember(await self.pods.store.get(pod.metadata.name))

    async def _claim(self, job: ChaosJob, name: str) -> None:
        """Make the job the owner of a Secret that the server wrote for it."""
        try:
            secret = await self.secrets.get(name)
        except NotFound:
            missing = Refusal("InputsMissing", "The Secret with the job's inputs is gone.")
            raise Refused(missing) from None
        if secret.metadata.is_owned_by(job.metadata.uid):
            return
        is_free = not secret.metadata.owner_references
        if not is_free or secret.metadata.labels.get(labels.JOB_ID) != job.metadata.name:
            raise Refused(_taken(name))
        owner = msgspec.to_builtins(owner_of(job))
        await self.secrets.patch(
            name,
            [
                _expect("/metadata/resourceVersion", secret.metadata.resource_version),
                {"op": "add", "path": "/metadata/ownerReferences", "value": [owner]},
            ],
        )

    async def _ungate(self, pod: Pod) -> None:
        gates = msgspec.to_builtins([LocalReference(name=labels.START_GATE)])
        expected = [
            _expect("/metadata/uid", pod.metadata.uid),
            _expect("/spec/schedulingGates", gates),
        ]
        remove = {"op": "remove", "path": "/spec/schedulingGates"}
        self.pods.remember(await self.pods.store.patch(pod.metadata.name, [*expected, remove]))

    async def _release(self, pod: Pod) -> None:
        with contextlib.suppress(NotFound):
            await self.pods.store.patch(
                pod.metadata.name, _without_finalizer(pod.metadata, labels.FINALIZER)
            )

    async def _release_job(self, job: ChaosJob) -> None:
        # Before the job may go: once it is gone, only the record knows that it was there.
        with contextlib.suppress(NotFound):
            name = names.request_record(job.spec.requested_by, job.spec.request_id)
            gone = {labels.gone(job.metadata.name): "true"}
            await self.leases.merge(name, {"metadata": {"annotations": gone}})
        with contextlib.suppress(NotFound):
            await self.jobs.store.patch(
                job.metadata.name, _without_finalizer(job.metadata, labels.REQUEST_FINALIZER)
            )

    async def _delete_secrets(self, job: ChaosJob) -> None:
        job_id = job.metadata.name
        wanted = [names.kubeconfig_secret_for(job_id)]
        if job.spec.has_inputs:
            wanted.append(names.inputs_secret_for(job_id))
        if job.spec.pull_secret:
            wanted.append(names.registry_secret_for(job_id))
        for name in wanted:
            with contextlib.suppress(NotFound):
                await self.secrets.delete(name)


def _without_finalizer(metadata: ObjectMeta, finalizer: str) -> list[dict[str, Any]]:
    """Return the patch that takes a finalizer off exactly this object."""
    path = f"/metadata/finalizers/{metadata.finalizers.index(finalizer)}"
    return [
        _expect("/metadata/uid", metadata.uid),
        _expect(path, finalizer),
        {"op": "remove", "path": path},
    ]


def _expect(path: str, value: Any) -> dict[str, Any]:
    return {"op": "test", "path": path, "value": value}


def _taken(name: str) -> Refusal:
    return Refusal("NameTaken", f"A Secret named {name} exists and is not the job's.")
