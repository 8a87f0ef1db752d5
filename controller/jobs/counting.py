"""Counts what is written about jobs, and the jobs of the cache by phase."""

from functools import cache
from typing import get_args

from controller.jobs import conditions
from krkn_grpc.kube.informer import CacheChange
from krkn_grpc.resources.chaos_job import ChaosJob, Phase
from krkn_grpc.telemetry import metrics

REASONS = frozenset(
    {
        "",
        "AbortCondition",
        "AddressRefused",
        "AlreadyRan",
        "Blackout",
        "BlackoutsUnknown",
        "Completed",
        "ConfigurationError",
        "ContainerCannotRun",
        "ContainerStatusUnknown",
        "ContainersNotInitialized",
        "CreateContainerError",
        "CreateContainerConfigError",
        "CreatedTooLate",
        "CriticalAlerts",
        "DeadlineExceeded",
        "ErrImagePull",
        "Evicted",
        "FailureThreshold",
        "GateRemoved",
        "Halted",
        "HaltsUnknown",
        "HealthCheckFailed",
        "IdentityUnknown",
        "ImageNotAllowed",
        "InitContainerFailed",
        "InputsMissing",
        "InvalidImageName",
        "InvalidKubeconfig",
        "MountPathNotAllowed",
        "NameTaken",
        "NodeLost",
        "NodeShutdown",
        "NetworkPolicyForbidden",
        "NetworkPolicyInvalid",
        "NonZeroExit",
        "OOMKilled",
        "OwnCluster",
        "PodDeleted",
        "PodExists",
        "PodForbidden",
        "PodInvalid",
        "PodNotCreated",
        "Preempted",
        "ProviderGone",
        "QueueTimeout",
        "QuotaExceeded",
        "RefreshingCredential",
        "RunContainerError",
        "RunDeleted",
        "ScenarioFailed",
        "SchedulingGated",
        "SecretForbidden",
        "SecretInvalid",
        "StartDeadlineExceeded",
        "StartError",
        "StopRequested",
        "TargetBusy",
        "TargetChanged",
        "TargetDeleted",
        "TargetNotAdmitted",
        "TargetNotChecked",
        "TargetUnresolved",
        "Unschedulable",
        "VariableNotAllowed",
        "WaitingForTurn",
        "WebhookUnavailable",
    }
)
"""The reasons of jobs that this project gives; a node or a scheduler may give any other."""

AT_RISK = frozenset({"NodeLost", "AlreadyRan", "GateRemoved"})
"""The scenario may still run though its job has ended, or something else tried to start it."""

_finished = cache(metrics.JOBS_FINISHED.labels)
_duration = cache(metrics.JOB_DURATION.labels)
_at_risk = {reason: metrics.JOBS_AT_RISK.labels(reason) for reason in AT_RISK}
_pending = cache(metrics.JOBS_PENDING.labels)
_jobs = {phase: metrics.JOBS.labels(phase) for phase in get_args(Phase)}


def shown(reason: str) -> str:
    """Return the reason if it is one of this project, else `Other`."""
    return reason if reason in REASONS else metrics.OTHER


def written(before: ChaosJob, after: ChaosJob) -> None:
    """Count the start or the end that this status write has brought, each once for a job."""
    created, status = after.metadata.creation_timestamp, after.status
    began = status.start_time
    if before.status.start_time is None and began is not None and created is not None:
        since = conditions.turn_since(after) or created
        metrics.JOB_START_DELAY.observe(max((began - since).total_seconds(), 0.0))
    if before.status.is_final or not status.is_final:
        return
    reason = shown(status.reason)
    _finished(status.phase, reason).inc()
    if reason in AT_RISK:
        _at_risk[reason].inc()
    if began is not None and status.completion_time is not None:
        took = (status.completion_time - began).total_seconds()
        _duration(status.phase).observe(max(took, 0.0))


def changed(change: CacheChange[ChaosJob]) -> None:
    """Keep the numbers of jobs current; to be called for each change of the cache."""
    for job, by in ((change.old, -1), (change.new, 1)):
        if job is None:
            continue
        if (phase := _jobs.get(job.status.phase)) is not None:
            phase.inc(by)
        if job.status.phase == "Pending":
            _pending(shown(job.status.reason)).inc(by)
