"""gRPC as a caller sees it: the metadata of a reply, and what an error says."""

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status

DOMAIN = "krkn.krkn-chaos.dev"


@dataclass(frozen=True)
class Reason:
    """An error as a typed client reads it."""

    code: grpc.StatusCode
    message: str
    reason: str
    violations: list[str]
    retry_seconds: int | None


async def refused(call: Awaitable[object]) -> Reason:
    """Await a call that must fail, and return what it says."""
    with pytest.raises(grpc.aio.AioRpcError) as failed:
        await call
    error = failed.value
    status = rpc_status.from_call(error)  # type: ignore[arg-type]  # it has what a Call has
    assert status is not None, error
    assert (status.code, status.message) == (error.code().value[0], error.details())
    info, bad, retry = (
        error_details_pb2.ErrorInfo(),
        error_details_pb2.BadRequest(),
        error_details_pb2.RetryInfo(),
    )
    assert status.details[0].Unpack(info)
    assert info.domain == DOMAIN
    violations, seconds = [], None
    for packed in status.details[1:]:
        if packed.Unpack(bad):
            violations = [violation.field for violation in bad.field_violations]
        elif packed.Unpack(retry):
            seconds = retry.retry_delay.seconds
        else:
            pytest.fail(f"unexpected detail {packed.type_url}")
    return Reason(error.code(), status.message, info.reason, violations, seconds)


async def told(call: Any) -> tuple[Any, dict[str, str]]:
    """Await a call that must succeed; return its reply and its initial metadata."""
    metadata = {key: str(value) for key, value in await call.initial_metadata()}
    return await call, metadata
