"""Sends spans by OTLP over gRPC. The only file that imports OpenTelemetry; see `tracing`.

The SDK's processor sends from a thread of its own: nothing here waits for the receiver. Spans that
it has not taken wait in a bounded queue, and more are dropped and counted.
"""

import asyncio
import logging
import os
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ParentBased
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
)

from krkn_grpc.otlp_endpoint import Address
from krkn_grpc.resources.trace_context import EndedSpan, Traceparent
from krkn_grpc.telemetry import metrics

MOST_WAITING = 8_192
_BATCH = 512
_DELAY_MILLIS = 1_000
# For what waits when the process ends; then the connection is closed.
_CLOSE_SECONDS = 3.0
_ABORT_SECONDS = 0.5
_SCOPE = "krkn_grpc"

_dropped = {reason: metrics.SPANS_DROPPED.labels(reason) for reason in ("queue_full", "not_taken")}


class Span:
    """A span that has started."""

    def __init__(self, span: trace.Span) -> None:
        """Wrap the library's."""
        self._span = span
        context = span.get_span_context()
        self.at = Traceparent(
            trace.format_trace_id(context.trace_id),
            trace.format_span_id(context.span_id),
            context.trace_flags.sampled,
        )

    def end(
        self, attributes: Mapping[str, str | int] | None = None, *, has_failed: bool = False
    ) -> None:
        """End it, with these attributes."""
        for name, value in (attributes or {}).items():
            self._span.set_attribute(name, value)
        if has_failed:
            self._span.set_status(Status(StatusCode.ERROR))
        self._span.end()


class Sink:
    """Where the spans of this process go."""

    def __init__(self, endpoint: str, service: str) -> None:
        """Send to `endpoint`; headers, certificate and sampler are in the OTEL_ variables."""
        # It warns of each retry, and says at last that it failed: the last line is enough.
        logging.getLogger("opentelemetry.exporter.otlp.proto.grpc").setLevel(logging.ERROR)
        # It logs whole what it cannot read of OTEL_EXPORTER_OTLP_HEADERS, such as a token.
        logging.getLogger("opentelemetry.util.re").addFilter(_without_value)
        self._exporter = _Counted(OTLPSpanExporter(endpoint=str(Address(endpoint))))
        self._processor = _Bounded(self._exporter)
        self._provider = TracerProvider(resource=_resource(service), shutdown_on_exit=False)
        # Envoy has decided, by the same setting; by the same share it takes other traces.
        self._provider.sampler = ParentBased(self._provider.sampler)
        self._provider.add_span_processor(self._processor)
        self._tracer = self._provider.get_tracer(_SCOPE)

    def call(self, name: str, parent: Traceparent | None, caller: Traceparent | None) -> Span:
        """Start the span of a call; without a parent it begins a trace."""
        links = [Link(_context(caller))] if caller is not None else []
        return self._start(name, parent, SpanKind.SERVER, links)

    def request(self, name: str, parent: Traceparent) -> Span:
        """Start the span of a request to the API server."""
        return self._start(name, parent, SpanKind.CLIENT, [])

    def step(self, name: str, parent: Traceparent) -> Span:
        """Start the span of a part of a call."""
        return self._start(name, parent, SpanKind.INTERNAL, [])

    def _start(
        self, name: str, parent: Traceparent | None, kind: SpanKind, links: Sequence[Link]
    ) -> Span:
        context = Context()
        if parent is not None:
            context = trace.set_span_in_context(NonRecordingSpan(_context(parent)), context)
        return Span(self._tracer.start_span(name, context=context, kind=kind, links=links))

    def ended(self, span: EndedSpan) -> None:
        """Send a span that has ended, with its own ids."""
        self._processor.on_end(
            ReadableSpan(
                name=span.name,
                context=_context(span.at),
                parent=_context(span.parent),
                resource=self._provider.resource,
                attributes=dict(span.attributes),
                status=Status(StatusCode.ERROR if span.has_failed else StatusCode.UNSET),
                start_time=_nanoseconds(span.start),
                end_time=_nanoseconds(span.end),
                instrumentation_scope=InstrumentationScope(_SCOPE),
            )
        )

    async def close(self) -> None:
        """Send what waits, within seconds, and close the connection."""
        is_sent = await _in_a_thread(self._provider.shutdown, _CLOSE_SECONDS)
        if not is_sent:
            # Cancels the request that hangs, so that the thread ends before the interpreter.
            await _in_a_thread(self._exporter.shutdown, _ABORT_SECONDS)


class _Counted(SpanExporter):
    """Counts what the receiver did not take."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter
        self.taken = 0
        """Spans that have left the queue; only the processor's thread changes it."""

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.taken += len(spans)
        result = self._exporter.export(spans)
        if result is SpanExportResult.SUCCESS:
            metrics.SPANS_SENT.inc(len(spans))
        else:
            _dropped["not_taken"].inc(len(spans))
        return result

    def shutdown(self) -> None:
        self._exporter.shutdown()


class _Bounded(BatchSpanProcessor):
    """Drops new spans while the queue is full, and counts them.

    The library drops the oldest, and its log line for each is all that says so.
    """

    def __init__(self, exporter: _Counted) -> None:
        super().__init__(
            exporter,
            # Its own bound is never reached.
            max_queue_size=2 * MOST_WAITING,
            schedule_delay_millis=_DELAY_MILLIS,
            max_export_batch_size=_BATCH,
        )
        self._counted = exporter
        self._queued = 0

    def on_end(self, span: ReadableSpan) -> None:
        if span.context is None or not span.context.trace_flags.sampled:
            return
        if self._queued - self._counted.taken >= MOST_WAITING:
            _dropped["queue_full"].inc()
            return
        self._queued += 1
        super().on_end(span)


def _without_value(record: logging.LogRecord) -> bool:
    record.args = ("***",)
    return True


def _resource(service: str) -> Resource:
    """Return what all spans of this process have in common."""
    instance = f"{socket.gethostname()}-{os.getpid()}"
    known = {"service.name": service, "service.instance.id": instance}
    with suppress(PackageNotFoundError):
        known["service.version"] = version("krkn-grpc")
    return Resource.create(known)


async def _in_a_thread(work: Callable[[], None], seconds: float) -> bool:
    """Whether the call ends in time; its thread keeps no process alive."""
    loop, done = asyncio.get_running_loop(), asyncio.Event()

    def call() -> None:
        work()
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(done.set)

    threading.Thread(target=call, daemon=True).start()
    try:
        await asyncio.wait_for(done.wait(), seconds)
    except TimeoutError:
        return False
    return True


def _context(at: Traceparent) -> SpanContext:
    return SpanContext(
        trace_id=int(at.trace_id, 16),
        span_id=int(at.span_id, 16),
        is_remote=True,
        trace_flags=TraceFlags(TraceFlags.SAMPLED if at.is_sampled else TraceFlags.DEFAULT),
    )


def _nanoseconds(time: datetime) -> int:
    # OTLP has no time before 1970: one such span would make its whole batch unreadable.
    return max(int(time.timestamp() * 1_000_000), 0) * 1_000
