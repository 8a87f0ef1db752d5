"""Says whether a job may still start, and why its pod does not run yet. Pure."""

from datetime import timedelta

from controller.jobs import conditions, deadlines
from controller.jobs.model import Limits, Observed, is_as_requested
from controller.jobs.waits import BLACKOUTS_UNKNOWN
from controller.reason import Reason
from krkn_grpc.resources import adopted, environment, images, mounts, well_known
from krkn_grpc.resources.chaos_job import ENDING, HALTED, ChaosJob, ChaosJobSpec
from krkn_grpc.resources.meta import find_condition
from krkn_grpc.resources.names import CONTAINER
from krkn_grpc.resources.pod import ContainerState, Pod
from krkn_grpc.resources.target import (
    ADDRESS_REFUSED,
    ADMITTED,
    OWN_CLUSTER,
    PROVIDER_GONE,
    READY,
    Target,
)

START_DEADLINE_EXCEEDED = "StartDeadlineExceeded"
QUEUE_TIMEOUT = "QueueTimeout"
NO_NEWS = Reason("", "")
_FOR_GOOD = frozenset({ADDRESS_REFUSED, OWN_CLUSTER})

HALTS_UNKNOWN = Reason(
    "HaltsUnknown", "Nothing starts before the halts could be read, and now they cannot be."
)
NOT_CHECKED = Reason("TargetNotChecked", "The target was not looked at yet as it is now.")

# The node alternates between the two; one reason for both saves a write per change.
_PULL_REASONS = {"ImagePullBackOff": "ErrImagePull"}
_NOTHING_WRONG = ("", "ContainerCreating", "PodInitializing")
_WAITING = {
    "ErrImagePull": "The image could not be pulled.",
    "InvalidImageName": "The image's name is not valid.",
    "CreateContainerConfigError": "The container's configuration could not be made.",
}


def halt(seen: Observed) -> Reason | None:
    """Return the reason of the oldest halt that selects the job's target; None when none does."""
    for each in seen.halts:
        if each.selects(seen.target_labels):
            return Reason(HALTED, each.message)
    return None


def not_known(seen: Observed) -> Reason | None:
    """Return what must be known before anything starts, and is not."""
    if not seen.are_halts_known:
        return HALTS_UNKNOWN
    return None if seen.are_blackouts_known else BLACKOUTS_UNKNOWN


def refusal(seen: Observed, job: ChaosJob) -> Reason | None:
    """Return the first reason why the job must not start any more."""
    if (forbidden := _forbidden(seen.limits, job.spec)) is not None:
        return forbidden
    target = seen.target
    if target is None or target.metadata.deletion_timestamp is not None:
        return Reason("TargetDeleted", "The target was deleted before the scenario started.")
    if not is_as_requested(target, job):
        return Reason("TargetChanged", "The target is not what it was when the run was asked for.")
    admitted = find_condition(target.status.conditions, ADMITTED)
    if target.was_refused and admitted is not None:
        return Reason(admitted.reason, admitted.message)
    if (gone := adopted.withheld(target, seen.limits.adopt_providers)) is not None:
        return Reason(PROVIDER_GONE, gone)
    unfit = target.unfit
    # Before there is a pod, the credential itself is read, and it may be valid by now.
    if unfit is not None and (unfit.reason in _FOR_GOOD or seen.pod is not None):
        return Reason(unfit.reason, unfit.message)
    if seen.now < deadlines.start(job, seen.limits, seen.now):
        return None
    if conditions.is_queued(job):
        return Reason(
            QUEUE_TIMEOUT, f"It was not the job's turn within {job.spec.queue_seconds} seconds."
        )
    late = f"The scenario did not start within {seen.limits.start_deadline_seconds} seconds."
    cause = _cause(seen, job)
    return Reason(cause.reason or START_DEADLINE_EXCEEDED, f"{late} {cause.message}".rstrip())


def provider_to_ask(seen: Observed, target: Target) -> str | None:
    """Return the provider of an adopted target whose credential is too old to start a job."""
    adoption = adopted.Adoption.of(target.metadata) if adopted.is_adopted(target) else None
    if adoption is None:
        return None
    copied = adoption.credential
    oldest = seen.now - timedelta(seconds=seen.limits.adopted_seconds)
    return adoption.provider if copied is None or copied.requested < oldest else None


def unproven(target: Target) -> Reason | None:
    """Return why an adopted target must not be used yet: it has to be ready, unlike others.

    Only a probe shows that its cluster is not our own.
    """
    if not adopted.is_adopted(target):
        return None
    if not target.is_checked or adopted.probe_is_due_at(target) is not None:
        return NOT_CHECKED
    ready = find_condition(target.status.conditions, READY)
    if ready is None or ready.status == "True":
        return None
    return Reason(ready.reason, ready.message)


def _forbidden(limits: Limits, spec: ChaosJobSpec) -> Reason | None:
    """Return why a job is not allowed. The server refuses such jobs; others may have written it."""
    if not images.is_allowed(spec.scenario_image, limits.allowed_images):
        return Reason("ImageNotAllowed", "The image is not among those that may be run here.")
    if mounts.first_not_allowed(spec, limits.allowed_paths) is not None:
        return Reason("MountPathNotAllowed", "A file is to be where none may be placed here.")
    if any(map(environment.loads_code, (*spec.environment, *spec.secret_environment))):
        return Reason(
            "VariableNotAllowed",
            "A variable is set by which a program loads code or another configuration.",
        )
    return None


def waiting_for(pod: Pod) -> Reason:
    """Return why a pod does not run yet, as Kubernetes reports it; NO_NEWS if nothing is wrong."""
    if (wrong := _trouble(pod.container_state(CONTAINER))) is not None:
        return wrong
    if (first := _before_the_scenario(pod)) is not None:
        return first
    if gates := [
        gate.name for gate in pod.spec.scheduling_gates if gate.name != well_known.START_GATE
    ]:
        return Reason("SchedulingGated", f"The pod is held by others' gates: {', '.join(gates)}.")
    for condition in pod.status.conditions:
        if condition.type == "PodScheduled" and condition.reason == "Unschedulable":
            return Reason("Unschedulable", "No node could take the pod.")
    return NO_NEWS


def _trouble(state: ContainerState) -> Reason | None:
    if state.waiting is None or state.waiting.reason in _NOTHING_WRONG:
        return None
    reason = _PULL_REASONS.get(state.waiting.reason, state.waiting.reason)
    return Reason(reason, _WAITING.get(reason, "The container could not be started."))


def _before_the_scenario(pod: Pod) -> Reason | None:
    """Return why injected init containers delay the scenario; None if they do not."""
    is_over = _holds(pod, "Initialized")
    under_way = None
    for container in pod.status.init_container_statuses:
        if (wrong := _trouble(container.state)) is not None:
            return Reason(wrong.reason, f"Init container {container.name}: {wrong.message}")
        if container.state.running is not None and not is_over:
            # They run one at a time; an earlier one that still runs is a sidecar.
            under_way = container.name
    if under_way is None:
        return None
    return Reason("ContainersNotInitialized", f"Init container {under_way} has not ended.")


def _holds(pod: Pod, kind: str) -> bool:
    return any(each.type == kind and each.status == "True" for each in pod.status.conditions)


def _cause(seen: Observed, job: ChaosJob) -> Reason:
    if seen.pod is not None:
        return waiting_for(seen.pod)
    if find_condition(job.status.conditions, ENDING) is not None:
        return NO_NEWS
    return Reason(job.status.reason, job.status.message)
