"""Does what was decided. Every write is a create by name or carries what it expects to find."""

import contextlib
from dataclasses import dataclass
from typing import Any, assert_never

import msgspec

from controller.jobs import pod as pods
from controller.jobs.events import Announcer
from controller.jobs.model import (
    Action,
    CreatePod,
    Credential,
    DeleteJob,
    DeletePod,
    DeleteSecrets,
    Refusal,
    ReleaseJob,
    ReleasePod,
    RememberJob,
    SetStatus,
    Ungate,
    is_marked,
    is_of_predecessor,
    is_ours,
)
from controller.jobs.pod import PullPolicy
from controller.jobs.records import Records
from controller.jobs.secrets import JobSecrets
from controller.jobs.trouble import Delayed, Refused
from krkn_grpc.kube.cache import WatchCache
from krkn_grpc.kube.errors import AlreadyExists, Forbidden, Invalid, NotFound, QuotaExceeded
from krkn_grpc.resources import labels
from krkn_grpc.resources.chaos_job import ChaosJob
from krkn_grpc.resources.meta import ObjectMeta
from krkn_grpc.resources.pod import Pod

_QUOTA = Refusal("QuotaExceeded", "The quota of the namespace leaves no room for the pod.")
_FORBIDDEN = Refusal("PodForbidden", "A rule of the cluster does not allow the scenario's pod.")
_INVALID = Refusal("PodInvalid", "The cluster does not accept the scenario's pod.")

# Which field was written by whom is noted nowhere after this patch, as long as nobody applies the
# pod. To note it is a sixth of what the API server does for a job; nobody asks who set what in a
# pod that is never edited, and the audit log tells it too.
_FORGET_MANAGERS = {"op": "add", "path": "/metadata/managedFields", "value": [{}]}


@dataclass(frozen=True)
class Actor:
    """Writes pods, Secrets and the status of jobs."""

    jobs: WatchCache[ChaosJob]
    pods: WatchCache[Pod]
    secrets: JobSecrets
    records: Records
    announcer: Announcer
    pull_policy: PullPolicy
    grace_seconds: int

    async def act(self, action: Action) -> None:
        """Do one thing; Conflict or Invalid when something is not as it was seen."""
        match action:
            case CreatePod(job, credential):
                await self._create_pod(job, credential)
            case SetStatus(job, status):
                written = await self.jobs.store.replace_status(job, status)
                self.jobs.remember(written)
                self.announcer.announce(job, written)
            case Ungate(pod):
                await self._ungate(pod)
            case DeletePod(pod, only_as_seen):
                seen = pod.metadata
                version = seen.resource_version if only_as_seen else None
                with contextlib.suppress(NotFound):
                    await self.pods.store.delete(seen.name, uid=seen.uid, resource_version=version)
            case ReleasePod(pod):
                await self._release_pod(pod)
            case DeleteSecrets(job):
                await self.secrets.delete(job)
            case DeleteJob(job):
                with contextlib.suppress(NotFound):
                    await self.jobs.store.delete(job.metadata.name, uid=job.metadata.uid)
            case RememberJob(job):
                await self.records.leave(job)
            case ReleaseJob(job):
                await self._release_job(job)
            case _:
                assert_never(action)

    async def _create_pod(self, job: ChaosJob, credential: Credential) -> None:
        try:
            # The Secrets come first: a pod that exists has all that it needs to start.
            await self.secrets.prepare(job, credential)
            await self._create_or_find(job)
        except QuotaExceeded as error:
            raise Delayed(_QUOTA) from error
        except Forbidden as error:
            raise Delayed(_FORBIDDEN) from error

    async def _create_or_find(self, job: ChaosJob) -> None:
        pod = pods.pod(job, self.pull_policy, self.grace_seconds)
        try:
            self.pods.remember(pods.observed(await self.pods.store.create(pod)))
        except Invalid as error:
            raise Refused(_INVALID) from error
        except AlreadyExists:
            found = await self.pods.store.get(pod.metadata.name)
            if not (is_ours(found, job) or is_marked(found) or is_of_predecessor(found, job)):
                taken = f"A pod named {pod.metadata.name} exists and is not the job's."
                raise Refused(Refusal("NameTaken", taken)) from None
            # Ours from a write that was thought lost, or a deleted job's: the next look decides.
            self.pods.remember(found)

    async def _ungate(self, pod: Pod) -> None:
        gates = pod.spec.scheduling_gates
        index = [gate.name for gate in gates].index(labels.START_GATE)
        path = f"/spec/schedulingGates/{index}"
        change = [
            _expect("/metadata/uid", pod.metadata.uid),
            _expect(path, {"name": labels.START_GATE}),
            {"op": "remove", "path": path},
            _FORGET_MANAGERS,
        ]
        metadata = await self.pods.store.patch(pod.metadata.name, change)
        spec = msgspec.structs.replace(
            pod.spec, scheduling_gates=[*gates[:index], *gates[index + 1 :]]
        )
        self.pods.remember(msgspec.structs.replace(pod, metadata=metadata, spec=spec))

    async def _release_pod(self, pod: Pod) -> None:
        change = _without_finalizer(pod.metadata, labels.FINALIZER)
        with contextlib.suppress(NotFound):
            metadata = await self.pods.store.patch(pod.metadata.name, change)
            if metadata.deletion_timestamp is None:  # else it is gone by now
                self.pods.remember(msgspec.structs.replace(pod, metadata=metadata))

    async def _release_job(self, job: ChaosJob) -> None:
        with contextlib.suppress(NotFound):
            change = _without_finalizer(job.metadata, labels.REQUEST_FINALIZER)
            await self.jobs.store.patch(job.metadata.name, change)


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
