"""Jobs, pods and targets for tests of decisions: each has what the test says, and is else usual."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Self

import msgspec

from controller.blackouts.timetable import InForce
from controller.jobs import statuses
from controller.jobs.model import Limits, Observed, Tombstone
from controller.reason import Reason
from controller.results.model import NO_LOG, LogDigest
from controller.runs.model import RunState
from krkn_grpc.resources import images, kubeconfig, mounts, names, well_known
from krkn_grpc.resources.blackout import Blackout, BlackoutSpec
from krkn_grpc.resources.chaos_job import ChaosJob, ChaosJobSpec
from krkn_grpc.resources.credential_secret import Credential
from krkn_grpc.resources.halt import Halt, HaltSpec
from krkn_grpc.resources.meta import Condition, ObjectMeta, owner_of, with_condition
from krkn_grpc.resources.pod import Pod
from krkn_grpc.resources.target import ADMITTED, READY, Target, TargetSpec, TargetStatus

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
LIMITS = Limits(300, 120, allowed_images=(images.ALL,), allowed_paths=(mounts.EVERYWHERE,))
JOB_ID = "11111111-1111-4111-8111-111111111111"
TARGET_UUID = "22222222-2222-4222-8222-222222222222"
SECRET_UUID = "33333333-3333-4333-8333-333333333333"
JOB_UID, TARGET_UID, POD_UID = "uid-of-job", "uid-of-target", "uid-of-pod"
GRACE = 60
API_URL = "https://api.example.com:6443"


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def a_credential() -> Credential:
    return Credential(kubeconfig.render(kubeconfig.from_token(API_URL, "the-token")))


def a_job(*, stop: bool = False, age: float = 10, **changes: Any) -> ChaosJob:
    spec = ChaosJobSpec(
        job_id=JOB_ID,
        target_uuid=TARGET_UUID,
        target_uid=TARGET_UID,
        target_secret_uuid=SECRET_UUID,
        cluster_api_url=API_URL,
        scenario_name="node cpu hog",
        scenario_image="quay.io/krkn-chaos/krkn-hub:node-cpu-hog",
        timeout_seconds=600,
        stop=stop,
    )
    metadata = ObjectMeta(
        name=JOB_ID,
        namespace="krkn",
        uid=JOB_UID,
        resource_version="7",
        generation=2 if stop else 1,
        creation_timestamp=ago(age),
    )
    return ChaosJob(metadata=metadata, spec=msgspec.structs.replace(spec, **changes))


def with_status(job: ChaosJob, **status: Any) -> ChaosJob:
    return msgspec.structs.replace(job, status=msgspec.structs.replace(job.status, **status))


def named(job: ChaosJob, **status: Any) -> ChaosJob:
    """The job after its pod's uid was written."""
    return with_status(
        job, pod_uid=POD_UID, pod_name=names.pod_for(JOB_ID), observed_generation=1, **status
    )


def running(job: ChaosJob, seconds: float = 5, *, by_node: float | None = None) -> ChaosJob:
    """It is seen to run for so long, `by_node` by the clock of its node."""
    began = ago(seconds if by_node is None else by_node)
    told = statuses.running(named(job), began, ago(seconds))
    return msgspec.structs.replace(job, status=told)


def finished(job: ChaosJob, phase: str = "Succeeded", *, age: float = 5) -> ChaosJob:
    return with_status(job, phase=phase, completion_time=ago(age))


def deleted(job: ChaosJob, *finalizers: str) -> ChaosJob:
    metadata = msgspec.structs.replace(
        job.metadata, deletion_timestamp=NOW, finalizers=list(finalizers)
    )
    return msgspec.structs.replace(job, metadata=metadata)


def ending(job: ChaosJob, reason: str, message: str = "It has to end.") -> ChaosJob:
    condition = Condition(
        type="Ending", status="True", reason=reason, message=message, last_transition_time=NOW
    )
    conditions = [*job.status.conditions, condition]
    return with_status(job, conditions=conditions, reason=reason, message=message)


def a_halt(selector: str = "", *, name: str = "a-halt", reason: str = "an incident") -> Halt:
    metadata = ObjectMeta(name=name, uid=f"uid-of-{name}", creation_timestamp=NOW)
    return Halt(metadata=metadata, spec=HaltSpec(reason=reason, target_selector=selector))


def a_blackout(name: str = "a-blackout", **changes: Any) -> Blackout:
    """Each day from 11:30 to 12:30 UTC; NOW is in it."""
    spec = BlackoutSpec(schedule="30 11 * * *", duration_seconds=3600)
    metadata = ObjectMeta(name=name, uid=f"uid-of-{name}", generation=1, creation_timestamp=NOW)
    return Blackout(metadata=metadata, spec=msgspec.structs.replace(spec, **changes))


def a_target(**changes: Any) -> Target:
    spec = TargetSpec(
        uuid=TARGET_UUID,
        cluster_name="prod",
        cluster_api_url=API_URL,
        secret_type="token",
        secret_uuid=SECRET_UUID,
    )
    metadata = ObjectMeta(name=TARGET_UUID, namespace="krkn", uid=TARGET_UID, generation=1)
    target = Target(metadata=metadata, spec=msgspec.structs.replace(spec, **changes))
    return looked_at(admission(target, "True", "Registered"), "True", "Reachable")


def admission(target: Target, status: str, reason: str, message: str = "") -> Target:
    return _with_condition(target, ADMITTED, status, reason, message)


def looked_at(target: Target, status: str, reason: str, message: str = "") -> Target:
    return _with_condition(target, READY, status, reason, message)


def _with_condition(target: Target, kind: str, status: str, reason: str, message: str) -> Target:
    condition = Condition(
        type=kind,
        status=status,  # type: ignore[arg-type]
        reason=reason,
        message=message,
        last_transition_time=NOW,
        observed_generation=1,
    )
    conditions = with_condition(target.status.conditions, condition)
    return msgspec.structs.replace(target, status=TargetStatus(conditions=conditions))


def not_looked_at(target: Target) -> Target:
    kept = [each for each in target.status.conditions if each.type != READY]
    return msgspec.structs.replace(target, status=TargetStatus(conditions=kept))


def with_target_metadata(target: Target, **changes: Any) -> Target:
    metadata = msgspec.structs.replace(target.metadata, **changes)
    return msgspec.structs.replace(target, metadata=metadata)


@dataclass(frozen=True)
class PodBuilder:
    """A pod of the job, step by step; `build` gives it. It starts gated, ours and unbound."""

    metadata: dict[str, Any] = field(default_factory=dict)
    spec: dict[str, Any] = field(default_factory=dict)
    status: dict[str, Any] = field(default_factory=dict)

    def ungated(self) -> Self:
        return replace(self, spec={**self.spec, "schedulingGates": []})

    def gated_by(self, *names_of_gates: str) -> Self:
        gates = [{"name": name} for name in names_of_gates]
        return replace(self, spec={**self.spec, "schedulingGates": gates})

    def init(self, name: str, state: dict[str, Any]) -> Self:
        """An init container that others have put into it; they come in their order."""
        known = self.status.get("initContainerStatuses", [])
        statuses = [*known, {"name": name, "state": state}]
        return replace(self.bound(), status={**self.status, "initContainerStatuses": statuses})

    def made(self, seconds: float) -> Self:
        return replace(self, metadata={**self.metadata, "creationTimestamp": ago(seconds)})

    def bound(self) -> Self:
        return replace(self, spec={**self.spec, "schedulingGates": [], "nodeName": "node-1"})

    def container(self, state: dict[str, Any]) -> Self:
        statuses = [{"name": names.CONTAINER, "state": state}]
        return replace(self.bound(), status={**self.status, "containerStatuses": statuses})

    def waiting(self, reason: str) -> Self:
        return self.container({"waiting": {"reason": reason}})

    def running(self, seconds: float = 5) -> Self:
        builder = self.container({"running": {"startedAt": ago(seconds)}})
        return replace(builder, status={**builder.status, "phase": "Running"})

    def ended(self, code: int, *, at: float = 0, reason: str = "", lasted: float = 3) -> Self:
        terminated = {
            "exitCode": code,
            "reason": reason or ("Completed" if code == 0 else "Error"),
            "startedAt": ago(at + lasted),
            "finishedAt": ago(at),
        }
        builder = self.container({"terminated": terminated})
        return builder.with_status(phase="Failed" if code else "Succeeded")

    def without_moments(self, instead: datetime | None = None) -> Self:
        """As of an end that nobody saw."""
        terminated = dict(self.status["containerStatuses"][0]["state"]["terminated"])
        moments = dict.fromkeys(("startedAt", "finishedAt"), instead)
        return self.container({"terminated": terminated | moments})

    def without_trace(self, **status: Any) -> Self:
        """Terminal, and nobody knows how its container ended."""
        return self.bound().with_status(phase="Failed", **status)

    def with_status(self, **status: Any) -> Self:
        return replace(self, status={**self.status, **status})

    def condition(self, kind: str, status: str, reason: str) -> Self:
        known = self.status.get("conditions", [])
        new = {"type": kind, "status": status, "reason": reason}
        return self.with_status(conditions=[*known, new])

    def deleted(self, seconds_ago: float, grace: int = GRACE) -> Self:
        due = ago(seconds_ago) + timedelta(seconds=grace)
        deletion = {"deletionTimestamp": due, "deletionGracePeriodSeconds": grace}
        return replace(self, metadata={**self.metadata, **deletion})

    def unmarked(self) -> Self:
        return replace(self, metadata={**self.metadata, "annotations": {}})

    def of(self, uid: str = POD_UID, owner: str = JOB_UID) -> Self:
        reference = {"apiVersion": "v", "kind": "KrknChaosJob", "name": JOB_ID, "uid": owner}
        owners = [reference] if owner else []
        return replace(self, metadata={**self.metadata, "uid": uid, "ownerReferences": owners})

    def build(self) -> Pod:
        owner = msgspec.to_builtins(owner_of(a_job()))
        metadata = {
            "name": names.pod_for(JOB_ID),
            "uid": POD_UID,
            "resourceVersion": "9",
            "ownerReferences": [owner],
            "annotations": {well_known.JOB_UID: JOB_UID},
            **self.metadata,
        }
        spec = {
            "schedulingGates": [{"name": well_known.START_GATE}],
            "terminationGracePeriodSeconds": GRACE,
            **self.spec,
        }
        return msgspec.convert(
            {"metadata": metadata, "spec": spec, "status": self.status}, Pod, strict=False
        )


A_POD = PodBuilder()
FOREIGN = A_POD.of("uid-of-another", owner="").unmarked()
SECOND = A_POD.of("uid-of-a-second")
UNDEAD = A_POD.ended(0, at=30).with_status(phase="Running")
PREDECESSOR = A_POD.of("uid-of-former-pod", owner="uid-of-former-job")


def seen(
    job: ChaosJob | None,
    pod: PodBuilder | None = None,
    *,
    target: Target | None = None,
    credential: Credential | Reason | None = None,
    start_deadline_seconds: int = 300,
    is_claimed: bool = True,
    gone: PodBuilder | None = None,
    gone_for: float = 0,
    halts: tuple[Halt, ...] = (),
    are_halts_known: bool = True,
    blackouts: tuple[InForce, ...] = (),
    are_blackouts_known: bool = True,
    labels: Mapping[str, str] | None = None,
    run: RunState | None = None,
    log: LogDigest | None = NO_LOG,
) -> Observed:
    return Observed(
        job_id=JOB_ID,
        job=job,
        pod=None if pod is None else pod.build(),
        target=target,
        credential=credential,
        now=NOW,
        limits=replace(LIMITS, start_deadline_seconds=start_deadline_seconds),
        is_claimed=is_claimed,
        tombstone=None if gone is None else Tombstone(gone.build(), ago(gone_for)),
        halts=halts,
        are_halts_known=are_halts_known,
        blackouts=blackouts,
        are_blackouts_known=are_blackouts_known,
        target_labels=labels,
        run=run,
        log=log,
    )
