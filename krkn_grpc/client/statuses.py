"""The words of the service as enumerations: each member equals its text.

A word that this version of the client does not know reads as UNKNOWN.
"""

from enum import StrEnum
from typing import Self


class _Word(StrEnum):
    @classmethod
    def _missing_(cls, _value: object) -> Self:
        return cls("Unknown")


class JobStatus(_Word):
    """Where a job is; `is_final` ones never change."""

    PENDING = "Pending"
    RUNNING = "Running"
    STOPPING = "Stopping"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    STOPPED = "Stopped"
    DELETED = "Deleted"
    """This client's own: the job was deleted before its outcome was known."""
    UNKNOWN = "Unknown"
    """It is not known whether the job exists; or a word of a later service."""

    @property
    def is_final(self) -> bool:
        """Whether the job has ended."""
        return self in _ENDED


_ENDED = {JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.STOPPED, JobStatus.DELETED}


class RunStatus(_Word):
    """Where a run is; `is_final` ones do not change."""

    PENDING = "Pending"
    RUNNING = "Running"
    STOPPING = "Stopping"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    PARTIALLY_FAILED = "PartiallyFailed"
    STOPPED = "Stopped"
    UNKNOWN = "Unknown"

    @property
    def is_final(self) -> bool:
        """Whether each of its jobs has ended."""
        return self in _RUN_ENDED


_RUN_ENDED = {
    RunStatus.SUCCEEDED,
    RunStatus.FAILED,
    RunStatus.PARTIALLY_FAILED,
    RunStatus.STOPPED,
}


class SecretType(_Word):
    """Which kind of credential a target has."""

    KUBECONFIG = "kubeconfig"
    TOKEN = "token"
    CREDENTIALS = "credentials"
    UNKNOWN = "Unknown"


class OnBusy(_Word):
    """What a job does on a target that runs as many jobs as it may."""

    WAIT = "Wait"
    REFUSE = "Refuse"
    UNKNOWN = "Unknown"


class ChangeType(StrEnum):
    """What happened to an object that is watched."""

    ADDED = "ADDED"
    """It is new, or passes the filters now."""
    MODIFIED = "MODIFIED"
    DELETED = "DELETED"
    """It is gone, or no longer passes the filters; it is shown as it was last."""
