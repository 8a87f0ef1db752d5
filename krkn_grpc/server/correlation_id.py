"""The correlation id of a call: Envoy's x-request-id, or one that is generated here.

It is in every log line of the call and on every job that the call created; the controller copies
it from the job to its own log and to the pod.
"""

import re
import uuid
from collections.abc import Iterable
from contextvars import ContextVar

from structlog.contextvars import bind_contextvars

_HEADER = "x-request-id"
_ALLOWED = re.compile(r"[-A-Za-z0-9._]{1,128}")
_current: ContextVar[str] = ContextVar("trace_id", default="")


def current() -> str:
    """Return the id of the current call; empty outside of a call."""
    return _current.get()


def follow(metadata: Iterable[tuple[str, str | bytes]] | None) -> None:
    """Set the call's id from its metadata; replace an id with characters that could break a log.

    It needs no reset: gRPC runs each call in its own task, and so in its own context.
    """
    given = next((value for key, value in metadata or () if key == _HEADER), None)
    is_given = isinstance(given, str) and _ALLOWED.fullmatch(given) is not None
    trace_id = str(given) if is_given else str(uuid.uuid4())
    _current.set(trace_id)
    bind_contextvars(trace=trace_id)
