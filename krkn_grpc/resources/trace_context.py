"""The W3C trace context of a call and of a job, and spans that have ended. Pure.

A `traceparent` is text from outside: what is not one counts as none, and fails nothing.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

CALLER_HEADER = "krkn-caller-traceparent"
"""By it Envoy hands on the `traceparent` of a caller whom it does not trust."""

# Later versions may have more after these fields (W3C Trace Context, section 3.2.4).
_TRACEPARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_LONGEST = 512
_SAMPLED = 0x01


class Traceparent(NamedTuple):
    """A span's place in a trace: hexadecimal ids, and whether the trace is recorded."""

    trace_id: str
    span_id: str
    is_sampled: bool

    def __str__(self) -> str:
        """Return it as a header and as the variable TRACEPARENT."""
        return f"00-{self.trace_id}-{self.span_id}-{'01' if self.is_sampled else '00'}"


def parse(text: object) -> Traceparent | None:
    """Return the context that a header or an annotation has, None for anything else."""
    if not isinstance(text, str) or len(text) > _LONGEST:
        return None
    if (found := _TRACEPARENT.fullmatch(text)) is None:
        return None
    version, trace_id, span_id, flags, more = found.groups()
    if version == "ff" or (version == "00" and more is not None):
        return None
    if not int(trace_id, 16) or not int(span_id, 16):
        return None
    return Traceparent(trace_id, span_id, bool(int(flags, 16) & _SAMPLED))


@dataclass(frozen=True)
class EndedSpan:
    """A span whose ids and times are given, so that a repetition is the same span."""

    name: str
    at: Traceparent
    """Its own place in the trace."""
    parent: Traceparent
    start: datetime
    end: datetime
    attributes: Mapping[str, str | int]
    has_failed: bool = False
