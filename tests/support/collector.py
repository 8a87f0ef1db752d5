"""A receiver of traces, as a collector is one: OTLP over gRPC, in the test's own process."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import grpc.aio
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as pb
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc
from opentelemetry.proto.trace.v1 import trace_pb2

from deploy.local.processes.ports import LOOPBACK
from tests.support.waiting import eventually


@dataclass(frozen=True)
class Span:
    """A span as it arrived; ids are hexadecimal, times nanoseconds."""

    service: str
    name: str
    trace_id: str
    span_id: str
    parent_id: str
    kind: int
    start: int
    end: int
    has_failed: bool
    attributes: dict[str, Any]
    links: list[tuple[str, str]]
    """Trace and span of each."""


@dataclass
class Collector:
    """Keeps what it is sent; while `is_hanging`, it keeps nothing and answers nobody."""

    port: int = 0
    is_hanging: bool = False
    requests: list[bytes] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)

    @property
    def endpoint(self) -> str:
        """What to set OTEL_EXPORTER_OTLP_ENDPOINT to."""
        return f"http://{LOOPBACK}:{self.port}"

    def of_trace(self, trace_id: str) -> list[Span]:
        """The spans of one trace, without repetitions of the same span."""
        found = {each.span_id: each for each in self.spans if each.trace_id == trace_id}
        return list(found.values())

    async def when(self, trace_id: str, condition: Callable[[list[Span]], bool]) -> list[Span]:
        """Return the spans of a trace as soon as they meet a condition."""

        async def found() -> list[Span]:
            return self.of_trace(trace_id)

        return await eventually(found, condition)

    async def when_named(self, trace_id: str, *names: str) -> dict[str, Span]:
        """Return these spans by name, as soon as each has arrived; each name is there once."""
        spans = await self.when(trace_id, lambda seen: set(names) <= {each.name for each in seen})
        wanted = [each for each in spans if each.name in names]
        assert len(wanted) == len(names), [each.name for each in spans]
        return {each.name: each for each in wanted}


@contextlib.asynccontextmanager
async def collector(address: str = f"{LOOPBACK}:0") -> AsyncIterator[Collector]:
    """A collector at an address, or on a port of its own, until the block ends."""
    kept = Collector()
    server = grpc.aio.server()
    add: Any = trace_service_pb2_grpc.add_TraceServiceServicer_to_server
    add(_Servicer(kept), server)
    kept.port = server.add_insecure_port(address)
    await server.start()
    try:
        yield kept
    finally:
        await server.stop(None)


class _Servicer(trace_service_pb2_grpc.TraceServiceServicer):
    def __init__(self, kept: Collector) -> None:
        self._kept = kept

    async def Export(  # noqa: N802 - the generated service's name
        self, request: pb.ExportTraceServiceRequest, context: Any
    ) -> pb.ExportTraceServiceResponse:
        if self._kept.is_hanging:
            await asyncio.Event().wait()
        self._kept.requests.append(request.SerializeToString())
        self._kept.spans += _spans(request)
        return pb.ExportTraceServiceResponse()


def _spans(request: pb.ExportTraceServiceRequest) -> Iterable[Span]:
    for resource in request.resource_spans:
        service = _attributes(resource.resource.attributes)["service.name"]
        for scope in resource.scope_spans:
            for span in scope.spans:
                yield Span(
                    service=service,
                    name=span.name,
                    trace_id=span.trace_id.hex(),
                    span_id=span.span_id.hex(),
                    parent_id=span.parent_span_id.hex(),
                    kind=span.kind,
                    start=span.start_time_unix_nano,
                    end=span.end_time_unix_nano,
                    has_failed=span.status.code == trace_pb2.Status.STATUS_CODE_ERROR,
                    attributes=_attributes(span.attributes),
                    links=[(link.trace_id.hex(), link.span_id.hex()) for link in span.links],
                )


def _attributes(found: Iterable[Any]) -> dict[str, Any]:
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in found}
