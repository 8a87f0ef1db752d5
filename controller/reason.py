"""Reasons: one word for programs, one sentence for people."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Reason:
    """Reason and message of a status or a condition, as in Kubernetes."""

    reason: str
    message: str
