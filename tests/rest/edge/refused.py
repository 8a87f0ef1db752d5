"""gRPC calls that are refused, and what their callers are told."""

import base64
import re
from collections.abc import Callable, Iterator
from typing import Any

import grpc
import httpx
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

from tests.rest.edge.running import SECONDS

UNARY, STREAM = "TargetService/ListTargets", "ScenarioRunService/WatchScenarioRuns"
CREATE = "TargetService/CreateTarget"
EMPTY = b"\0\0\0\0\0"
"""A message without fields, as it is sent."""

Told = tuple[int, str, float | None]
"""Code, reason, seconds before a retry."""


def ask(channel: grpc.Channel, method: str, request: bytes = b"", *metadata: Any) -> None:
    """Call a method, as one with a stream of replies where it has one."""
    make: Any = channel.unary_stream if "Watch" in method else channel.unary_unary
    reply = make(f"/krkn.v1.{method}", bytes, bytes)(request, metadata=metadata, timeout=SECONDS)
    if "Watch" in method:
        list(reply)


def refusal(call: Callable[[], None], attempts: int = 1) -> grpc.RpcError:
    """Return what a call is refused with, by one of the attempts."""
    for _ in range(attempts):
        try:
            call()
        except grpc.RpcError as error:
            return error
    raise AssertionError("it was not refused")


def status(error: grpc.RpcError) -> Told:
    """Return what the caller of a gRPC library is told."""
    assert isinstance(error, grpc.Call)
    # It compares code and message of the two.
    whole = rpc_status.from_call(error)
    assert whole is not None, error
    return _told(whole)


def sent(
    client: httpx.Client,
    method: str,
    headers: dict[str, str],
    content: bytes | Iterator[bytes] = EMPTY,
    verb: str = "POST",
) -> httpx.Response:
    """Call a method over HTTP/2, as no gRPC library does; return the reply."""
    given = {"content-type": "application/grpc", "te": "trailers", **headers}
    raw = [(name.encode(), value.encode("latin-1")) for name, value in given.items()]
    return client.request(verb, f"/krkn.v1.{method}", headers=httpx.Headers(raw), content=content)


def status_of(reply: httpx.Response) -> Told:
    """Return what a reply without a message tells its caller."""
    assert reply.status_code == 200, reply.text
    encoded = reply.headers["grpc-status-details-bin"]
    assert "=" not in encoded
    whole = status_pb2.Status.FromString(base64.b64decode(encoded + "=" * (-len(encoded) % 4)))
    assert str(whole.code) == reply.headers["grpc-status"]
    assert whole.message == reply.headers["grpc-message"]
    return _told(whole)


def _told(whole: status_pb2.Status) -> Told:
    """The first detail is an ErrorInfo, and all is in the style of the server."""
    assert not re.match(r"[A-Z][a-z]* ", whole.message)
    assert not whole.message.endswith(".")
    info, *more = whole.details
    first, retry = error_details_pb2.ErrorInfo(), error_details_pb2.RetryInfo()
    assert info.Unpack(first)
    assert first.domain == "krkn.krkn-chaos.dev"
    assert all(each.Unpack(retry) for each in more)
    return whole.code, first.reason, retry.retry_delay.seconds if more else None
