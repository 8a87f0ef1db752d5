"""Says whether a job may still start, and why its pod does not run yet. Pure."""

from datetime import datetime, timedelta

from controller.jobs.conditions import ENDING
from controller.jobs.model import Observed, Refusal, is_as_requested
from controller.jobs.verdict import container_state
from krkn_grpc.resources import images
from krkn_grpc.resources.chaos_job import ChaosJob
from krkn_grpc.resources.meta import find_condition
from krkn_grpc.resources.pod import Pod
from krkn_grpc.resources.target import ADMITTED

START_DEADLINE_EXCEEDED = "StartDeadlineExceeded"
NO_NEWS = Refusal("", "")

# The node alternates between the two; one word for both saves a write at every change.
_PULL_REASONS = {"ImagePullBackOff": "ErrImagePull"}
_NOTHING_WRONG = ("", "ContainerCreating", "PodInitializing")
_WAITING = {
    "ErrImagePull": "The image could not be pulled.",
    "InvalidImageName": "The image's name is not valid.",
    "CreateContainerConfigError": "The container's configuration could not be made.",
}


def refusal(seen: Observed, job: ChaosJob) -> Refusal | None:
    """Return the first reason why the job must not start any more."""
    if not images.is_allowed(job.spec.scenario_image, seen.limits.allowed_images):
        # The server refuses these; this one was written by somebody else.
        return Refusal("ImageNotAllowed", "The image is not among those that may be run here.")
    target = seen.target
    if target is None or target.metadata.deletion_timestamp is not None:
        return Refusal("TargetDeleted", "The target was deleted before the scenario started.")
    if not is_as_requested(target, job):
        return Refusal("TargetChanged", "The target is not what it was when the run was asked for.")
    admitted = find_condition(target.status.conditions, ADMITTED)
    if target.was_refused and admitted is not None:
        return Refusal(admitted.reason, admitted.message)
    if seen.now < deadline(seen, job):
        return None
    late = f"The scenario did not start within {seen.limits.start_seconds} seconds."
    cause = _cause(seen, job)
    return Refusal(cause.reason or START_DEADLINE_EXCEEDED, f"{late} {cause.message}".rstrip())


def deadline(seen: Observed, job: ChaosJob) -> datetime:
    """Return the moment after which the job never starts."""
    created = job.metadata.creation_timestamp or seen.now
    return created + timedelta(seconds=seen.limits.start_seconds)


def waiting_for(pod: Pod) -> Refusal:
    """Return why a pod does not run yet, in Kubernetes' own word; NO_NEWS when nothing is wrong."""
    waiting = container_state(pod).waiting
    if waiting is not None and waiting.reason not in _NOTHING_WRONG:
        reason = _PULL_REASONS.get(waiting.reason, waiting.reason)
        return Refusal(reason, _WAITING.get(reason, "The container could not be started."))
    for condition in pod.status.conditions:
        if condition.type == "PodScheduled" and condition.reason == "Unschedulable":
            return Refusal("Unschedulable", "No node could take the pod.")
    return NO_NEWS


def _cause(seen: Observed, job: ChaosJob) -> Refusal:
    if seen.pod is not None:
        return waiting_for(seen.pod)
    if find_condition(job.status.conditions, ENDING) is not None:
        return NO_NEWS
    return Refusal(job.status.reason, job.status.message)
