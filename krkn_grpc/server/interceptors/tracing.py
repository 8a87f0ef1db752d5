"""Gives each call a span, around all that is done for it.

By hand for the reasons of `metrics`: no library does it for grpc.aio (docs/decisions/0048).
"""

from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING

import grpc

from krkn_grpc.resources.trace_context import CALLER_HEADER, parse
from krkn_grpc.server.correlation_id import TRACEPARENT, value_of
from krkn_grpc.server.interceptors.endings import Handler, with_end
from krkn_grpc.server.interceptors.metrics import OTHER, labels_of
from krkn_grpc.telemetry import tracing

if TYPE_CHECKING:
    from krkn_grpc.telemetry.otlp import Span

# Of these the service is the cause, not the caller (OpenTelemetry's conventions for RPC servers).
_FAILURES = frozenset(
    {"Unknown", "DeadlineExceeded", "Unimplemented", "Internal", "Unavailable", "DataLoss"}
)


class TracingInterceptor(grpc.aio.ServerInterceptor):
    """The outermost interceptor, where tracing is on: all other spans of a call are below its."""

    def __init__(self, paths: Iterable[str]) -> None:
        """Name the spans of these paths, `/package.Service/Method`; others are `other`."""
        self._names = {path: labels_of(path)[1:] for path in paths}

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable["Handler | None"]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> "Handler | None":
        """Start the call's span, and wrap its handler to learn how it ends."""
        metadata = handler_call_details.invocation_metadata
        service, method = self._names.get(handler_call_details.method, (OTHER, OTHER))
        parent, caller = (parse(value_of(metadata, name)) for name in (TRACEPARENT, CALLER_HEADER))
        span = tracing.started_call(f"{service}/{method}", parent, caller)
        ended = partial(_ended, span, service, method)
        try:
            handler = await continuation(handler_call_details)
        except BaseException:
            ended("Canceled")
            raise
        if handler is None:
            ended("Unimplemented")
            return None
        return with_end(handler, ended)


def _ended(span: "Span", service: str, method: str, code: str) -> None:
    span.end(
        {
            "rpc.system": "grpc",
            "rpc.service": service,
            "rpc.method": method,
            "rpc.response.status_code": code,
        },
        has_failed=code in _FAILURES,
    )
