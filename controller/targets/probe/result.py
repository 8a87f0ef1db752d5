"""What a look at a target cluster found."""

from dataclasses import dataclass
from enum import StrEnum


class ProbeReason(StrEnum):
    """The reasons that a target's Ready condition can have from a look at its cluster."""

    REACHABLE = "Reachable"
    UNREACHABLE = "Unreachable"
    TLS_FAILED = "TLSFailed"
    UNAUTHORIZED = "Unauthorized"
    ADDRESS_REFUSED = "AddressRefused"


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """Whether the cluster's API took the credentials, and a sentence of ours that says why.

    The message is never what the remote side said: that could be anything, for anyone to read.
    """

    reason: ProbeReason
    message: str

    @property
    def ready(self) -> bool:
        """Whether the API was reached with the credentials."""
        return self.reason is ProbeReason.REACHABLE


class ProbeFailed(Exception):
    """One step of the look failed; the result says how."""

    def __init__(self, reason: ProbeReason, message: str) -> None:
        super().__init__(message)
        self.result = ProbeResult(reason, message)


def unreachable(message: str) -> ProbeFailed:
    """Make the failure of a step that did not get an answer that counts."""
    return ProbeFailed(ProbeReason.UNREACHABLE, message)


def tls_failed(message: str) -> ProbeFailed:
    """Make the failure of a connection that could not be secured."""
    return ProbeFailed(ProbeReason.TLS_FAILED, message)


def unauthorized(message: str) -> ProbeFailed:
    """Make the failure of credentials that were not taken."""
    return ProbeFailed(ProbeReason.UNAUTHORIZED, message)


def address_refused(message: str) -> ProbeFailed:
    """Make the failure of an address that may not be contacted."""
    return ProbeFailed(ProbeReason.ADDRESS_REFUSED, message)
