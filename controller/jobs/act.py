"""Carries out decisions. Every write is a create by name or states the version it expects."""

import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, assert_never

import msgspec
import structlog

from controller.events import EventRecorder
from controller.jobs import pod as pods
from controller.jobs import statuses
from controller.jobs.claims import Claims
from controller.jobs.create_errors import StartRefused, Troubles, told_as
from controller.jobs.events import event_for, step_for, stop_for
from controller.jobs.model import (
    Action,
    Claim,
    CreatePod,
    DeleteJob,
    DeletePod,
    DeleteSecrets,
    Depart,
    RequestCredential,
    SetStatus,
    Ungate,
    is_held,
    is_of_some_job,
)
from controller.jobs.network_policies import JobNetworkPolicies
from controller.jobs.secrets import JobSecrets
from controller.reason import Reason
from controller.scenario_pods.rules import PodRules
from krkn_grpc.kube.errors import AlreadyExists, Invalid, NotFound
from krkn_grpc.kube.informer import Informer
from krkn_grpc.resources import well_known
from krkn_grpc.resources.chaos_job import ChaosJob, ChaosJobStatus
from krkn_grpc.resources.core import Event
from krkn_grpc.resources.credential_secret import Credential
from krkn_grpc.resources.pod import Pod

_log = structlog.get_logger(__name__)

_POD_TROUBLES = Troubles.of("Pod", "the scenario's pod")

# After this patch the API server tracks no field managers, as long as nobody applies the pod.
# Tracking them is a sixth of its work for a job; nobody needs them for a pod that is never
# edited, and the audit log has the same information.
_FORGET_MANAGERS = {"op": "add", "path": "/metadata/managedFields", "value": [{}]}


@dataclass(frozen=True)
class Actor:
    """Writes pods, Secrets and job statuses; with `policies` also the pods' NetworkPolicies."""

    jobs: Informer[ChaosJob]
    pods: Informer[Pod]
    secrets: JobSecrets
    claims: Claims
    events: EventRecorder
    rules: PodRules
    request_credential: Callable[[str], Awaitable[None]]
    """Asks a provider for newer credentials of its clusters; may be called again and again."""
    depart: Callable[[ChaosJob], None]
    """Has the job's run count it as gone; may be called again and again."""
    is_crowded: Callable[[], bool]
    """Whether many jobs wait to be reconciled: then no Event tells of a start or a stop."""
    policies: JobNetworkPolicies | None = None

    async def act(self, action: Action) -> None:
        """Do one action; raises Conflict or Invalid when an object is not as it was seen."""
        match action:
            case Claim(job):
                await self.claims.claim(job)
            case RequestCredential(provider):
                await self.request_credential(provider)
            case CreatePod(job, credential):
                await self._create_pod(job, credential)
            case SetStatus(job, status):
                await self._set_status(job, status)
            case Ungate(pod):
                await self._ungate(pod)
            case DeletePod(pod, only_as_seen):
                seen = pod.metadata
                version = seen.resource_version if only_as_seen else None
                with contextlib.suppress(NotFound):
                    await self.pods.client.delete(seen.name, uid=seen.uid, resource_version=version)
                if only_as_seen and is_held(pod) and not seen.finalizers:
                    # Gone at once. What comes next must not name it because the watch is behind.
                    self.pods.forget(pod)
            case DeleteSecrets(job):
                await self.secrets.delete(job)
            case Depart(job):
                self.depart(job)
            case DeleteJob(job):
                with contextlib.suppress(NotFound):
                    await self.jobs.client.delete(job.metadata.name, uid=job.metadata.uid)
            case _:
                assert_never(action)

    async def _set_status(self, job: ChaosJob, status: ChaosJobStatus) -> None:
        try:
            written = await self.jobs.client.replace_status(job, status)
        except Invalid as error:
            # A refused text must not block the status. The second write expects the same version.
            plain = statuses.plain(status)
            if plain == status:
                raise
            _log.warning("status refused", job=job.metadata.name, error=str(error))
            written = await self.jobs.client.replace_status(job, plain)
        self.jobs.remember(written)
        now = datetime.now(UTC)
        self.events.announce(event_for(job, written, now))
        self._announce_if_idle(step_for(job, written, now))

    def tell_stop(self, job: ChaosJob) -> None:
        """Tell by an Event that a stop has deleted the job's pod, unless there is other work."""
        self._announce_if_idle(stop_for(job, datetime.now(UTC)))

    def _announce_if_idle(self, event: Event | None) -> None:
        if not self.is_crowded():
            self.events.announce_if_idle(event)

    async def _create_pod(self, job: ChaosJob, credential: Credential) -> None:
        # The Secrets come first: a pod that exists has everything that it needs to start.
        await self.secrets.prepare(job, credential)
        if self.policies is not None:
            await self.policies.prepare(job, credential)
        pod = pods.pod(job, self.rules)
        try:
            with told_as(_POD_TROUBLES):
                self.pods.remember(pods.observed(await self.pods.client.create(pod)))
        except AlreadyExists:
            found = await self.pods.client.get(pod.metadata.name)
            if not is_of_some_job(found, job.metadata.name):
                taken = f"A pod named {pod.metadata.name} exists and is not the job's."
                raise StartRefused(Reason("NameTaken", taken)) from None
            # Ours, from a write thought lost, or a deleted job's: the next reconcile decides.
            self.pods.remember(found)

    async def _ungate(self, pod: Pod) -> None:
        gates = pod.spec.scheduling_gates
        index = [gate.name for gate in gates].index(well_known.START_GATE)
        path = f"/spec/schedulingGates/{index}"
        change = [
            _expect("/metadata/uid", pod.metadata.uid),
            _expect(path, {"name": well_known.START_GATE}),
            {"op": "remove", "path": path},
            _FORGET_MANAGERS,
        ]
        metadata = await self.pods.client.patch(pod.metadata.name, change)
        spec = msgspec.structs.replace(
            pod.spec, scheduling_gates=[*gates[:index], *gates[index + 1 :]]
        )
        self.pods.remember(msgspec.structs.replace(pod, metadata=metadata, spec=spec))


def _expect(path: str, value: Any) -> dict[str, Any]:
    return {"op": "test", "path": path, "value": value}
