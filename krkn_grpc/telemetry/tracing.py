"""Spans of calls, of their requests to the API server, and of jobs (docs/tracing.md).

Off unless an endpoint is set: then nothing of OpenTelemetry is imported, and what could be traced
asks `is_on()` and nothing more. A caller's trace context is passed on in either case.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

from krkn_grpc.resources.trace_context import EndedSpan, Traceparent

if TYPE_CHECKING:
    from krkn_grpc.telemetry.otlp import Sink, Span

# gRPC runs each call in its own task, and so in its own context: nothing has to be reset.
_current: ContextVar[Traceparent | None] = ContextVar("traceparent", default=None)
_sink: Sink | None = None


def is_on() -> bool:
    """Whether spans are sent."""
    return _sink is not None


def current() -> Traceparent | None:
    """Return the current call's place in its trace; None outside of a call or a trace."""
    return _current.get()


def follow(given: Traceparent | None) -> None:
    """Let the current call belong to this place of a trace."""
    _current.set(given)


@asynccontextmanager
async def exported(endpoint: str, service: str) -> AsyncIterator[None]:
    """Send the spans of this process to `endpoint`, if there is one, as those of `service`.

    Ends the process with status 1 and one line if OpenTelemetry cannot use its own settings.
    """
    global _sink  # noqa: PLW0603 - there is one for the process, as for metrics
    if not endpoint:
        yield
        return
    from krkn_grpc.telemetry.otlp import Sink  # noqa: PLC0415 - imported only where it is used

    try:
        sink = _sink = Sink(endpoint, service)
    except Exception as error:  # of any class; headers are not in their texts
        sys.exit(f"{service}: a setting OTEL_* cannot be used: {error}")
    try:
        yield
    finally:
        _sink = None
        await sink.close()


def started_call(name: str, parent: Traceparent | None, caller: Traceparent | None) -> Span:
    """Start the span of a call, and make it the current one.

    `caller` is the place in the trace of a caller who is not trusted: it is linked.
    """
    assert _sink is not None, "only where tracing is on"
    span = _sink.call(name, parent, caller)
    _current.set(span.at)
    return span


def started_request(name: str) -> Span | None:
    """Start the span of a request that the current call makes; None outside of a trace."""
    parent = _current.get()
    if _sink is None or parent is None or not parent.is_sampled:
        return None
    return _sink.request(name, parent)


@contextmanager
def step(name: str) -> Iterator[None]:
    """Make what the block does a step of the current call, with a span of its own."""
    parent = _current.get()
    if _sink is None or parent is None or not parent.is_sampled:
        yield
        return
    span = _sink.step(name, parent)
    token = _current.set(span.at)
    try:
        yield
    except BaseException:
        span.end(has_failed=True)
        raise
    else:
        span.end()
    finally:
        _current.reset(token)


def send(spans: Iterable[EndedSpan]) -> None:
    """Send spans that have ended, those of sampled traces."""
    if _sink is not None:
        for span in spans:
            _sink.ended(span)
