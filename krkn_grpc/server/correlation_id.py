"""The correlation id of a call, Envoy's x-request-id or one that is generated here; its trace.

It is in every log line of the call and on every job that the call created; the controller copies
it from the job to its own log and to the pod. So is the id of the call's W3C trace, if it has one.
"""

import re
import uuid
from collections.abc import Iterable
from contextvars import ContextVar
from typing import TypeAlias

from structlog.contextvars import bind_contextvars

from krkn_grpc.resources.trace_context import parse
from krkn_grpc.telemetry import tracing

_HEADER = "x-request-id"
TRACEPARENT = "traceparent"
_ALLOWED = re.compile(r"[-A-Za-z0-9._]{1,128}")
Metadata: TypeAlias = Iterable[tuple[str, str | bytes]] | None

_current: ContextVar[str] = ContextVar("trace_id", default="")


def current() -> str:
    """Return the id of the current call; empty outside of a call."""
    return _current.get()


def follow(metadata: Metadata) -> None:
    """Set the call's id from its metadata; replace an id with characters that could break a log.

    Without spans of our own, what the call does belongs to the place in a trace that its metadata
    names.

    It needs no reset: gRPC runs each call in its own task, and so in its own context.
    """
    given = value_of(metadata, _HEADER)
    is_given = isinstance(given, str) and _ALLOWED.fullmatch(given) is not None
    call_id = str(given) if is_given else str(uuid.uuid4())
    _current.set(call_id)
    bind_contextvars(trace=call_id)
    if not tracing.is_on():
        tracing.follow(parse(value_of(metadata, TRACEPARENT)))
    if (here := tracing.current()) is not None:
        bind_contextvars(trace_id=here.trace_id)


def value_of(metadata: Metadata, name: str) -> str | bytes | None:
    """Return the first value of a name, None without one."""
    for key, value in metadata or ():
        if key == name:
            return value
    return None
