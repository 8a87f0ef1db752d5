"""The result of a probe of a target cluster."""

from dataclasses import dataclass
from enum import StrEnum

from krkn_grpc.resources.target import ADDRESS_REFUSED


class ProbeReason(StrEnum):
    """The reasons of a target's Ready condition that a probe can give."""

    REACHABLE = "Reachable"
    UNREACHABLE = "Unreachable"
    TLS_FAILED = "TLSFailed"
    UNAUTHORIZED = "Unauthorized"
    ADDRESS_REFUSED = ADDRESS_REFUSED


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """Whether the cluster's API accepted the credentials, and a fixed sentence that says why.

    The message never quotes the remote side, which could send any text, for anyone to read.
    """

    reason: ProbeReason
    message: str

    @property
    def ready(self) -> bool:
        """Whether the API was reached with the credentials."""
        return self.reason is ProbeReason.REACHABLE


class ProbeFailed(Exception):
    """One step of the probe failed; the result says how."""

    def __init__(self, reason: ProbeReason, message: str) -> None:
        super().__init__(message)
        self.result = ProbeResult(reason, message)


def unreachable(message: str) -> ProbeFailed:
    """Return the failure of a step that got no valid answer."""
    return ProbeFailed(ProbeReason.UNREACHABLE, message)


def tls_failed(message: str) -> ProbeFailed:
    """Return the failure of a TLS connection."""
    return ProbeFailed(ProbeReason.TLS_FAILED, message)


def unauthorized(message: str) -> ProbeFailed:
    """Return the failure of credentials that were not accepted."""
    return ProbeFailed(ProbeReason.UNAUTHORIZED, message)


def address_refused(message: str) -> ProbeFailed:
    """Return the failure of an address that may not be contacted."""
    return ProbeFailed(ProbeReason.ADDRESS_REFUSED, message)
