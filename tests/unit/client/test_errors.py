"""Each status of a call as its typed error; nothing of another's details is believed."""

from typing import Any

import grpc
import pytest
from google.protobuf.any_pb2 import Any as Packed
from google.rpc import error_details_pb2, status_pb2
from grpc import StatusCode

from krkn_grpc.client import errors
from krkn_grpc.client.errors import from_call
from krkn_grpc.client.retries import Patience, may_retry

SERVER = "krkn.example:443"


def failed(
    code: StatusCode, *details: Any, said: str = "said", status_code: StatusCode | None = None
) -> grpc.aio.AioRpcError:
    """A call that failed, with these details; those of `status_code` if a proxy replaced it."""
    trailers = grpc.aio.Metadata()
    if details:
        status = status_pb2.Status(code=(status_code or code).value[0], message=said)
        for each in details:
            packed = Packed()
            packed.Pack(each)
            status.details.append(packed)
        trailers.add("grpc-status-details-bin", status.SerializeToString())
    return grpc.aio.AioRpcError(code, grpc.aio.Metadata(), trailers, details=said)


def info(reason: str) -> error_details_pb2.ErrorInfo:
    return error_details_pb2.ErrorInfo(reason=reason, domain="krkn.krkn-chaos.dev")


def retry(seconds: int) -> error_details_pb2.RetryInfo:
    made = error_details_pb2.RetryInfo()
    made.retry_delay.seconds = seconds
    return made


@pytest.mark.parametrize(
    ("code", "reason", "kind"),
    [
        (StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST", errors.InvalidArgument),
        (StatusCode.NOT_FOUND, "NOT_FOUND", errors.NotFound),
        (StatusCode.ALREADY_EXISTS, "ALREADY_EXISTS", errors.AlreadyExists),
        (StatusCode.ALREADY_EXISTS, "REQUEST_ID_REUSED", errors.RequestIdReused),
        (StatusCode.UNAUTHENTICATED, "UNAUTHENTICATED", errors.Unauthenticated),
        (StatusCode.PERMISSION_DENIED, "PERMISSION_DENIED", errors.Denied),
        (StatusCode.FAILED_PRECONDITION, "Halted", errors.Halted),
        (StatusCode.FAILED_PRECONDITION, "ADOPTED", errors.FailedPrecondition),
        (StatusCode.ABORTED, "CONFLICT", errors.Conflict),
        (StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_CALLS", errors.LimitReached),
        (StatusCode.OUT_OF_RANGE, "TOKEN_TOO_OLD", errors.TooOld),
        (StatusCode.UNAVAILABLE, "KUBERNETES_UNAVAILABLE", errors.Unavailable),
        (StatusCode.DEADLINE_EXCEEDED, "REQUEST_TOO_SLOW", errors.DeadlineExceeded),
        (StatusCode.INTERNAL, "INTERNAL", errors.ServiceError),
        # Without a reason it comes from a proxy, or from gRPC itself: a cut connection.
        (StatusCode.INTERNAL, "", errors.Unavailable),
        (StatusCode.UNKNOWN, "", errors.Unavailable),
        (StatusCode.UNIMPLEMENTED, "", errors.ServiceError),
    ],
)
def test_each_status_has_its_class(
    code: StatusCode, reason: str, kind: type[errors.KrknError]
) -> None:
    error = from_call(failed(code, *([info(reason)] if reason else [])), SERVER)
    assert type(error) is kind
    assert (error.code, error.reason, error.retry_after) == (code, reason, None)
    assert (str(error) == "said") == bool(reason)


def test_fields_are_the_message() -> None:
    bad = error_details_pb2.BadRequest()
    bad.field_violations.add(field="token", description="is required")
    error = from_call(failed(StatusCode.INVALID_ARGUMENT, info("I"), bad), SERVER)
    assert error.fields == (errors.FieldError("token", "is required"),)
    assert str(error) == "token: is required"


def test_details_of_another_code_are_not_believed() -> None:
    """A proxy that replaces a status leaves the details as they were."""
    error = from_call(
        failed(StatusCode.UNAVAILABLE, info("X"), retry(1), status_code=StatusCode.INTERNAL), SERVER
    )
    assert (error.reason, error.retry_after) == ("", None)
    assert str(error) == f"{SERVER} does not answer: said"


@pytest.mark.parametrize(
    ("error", "if_repeatable", "if_not"),
    [
        (failed(StatusCode.UNAVAILABLE), True, False),
        (failed(StatusCode.DEADLINE_EXCEEDED), True, False),
        (failed(StatusCode.UNAVAILABLE, info("OUTCOME_UNKNOWN")), True, False),
        (failed(StatusCode.UNAVAILABLE, info("X"), retry(1)), True, True),
        (failed(StatusCode.RESOURCE_EXHAUSTED, info("X"), retry(1)), True, True),
        (failed(StatusCode.RESOURCE_EXHAUSTED, info("LIMIT_REACHED")), False, False),
        (failed(StatusCode.INTERNAL, info("INTERNAL")), False, False),
        (failed(StatusCode.ABORTED, info("CONFLICT")), False, False),
        (failed(StatusCode.NOT_FOUND, info("NOT_FOUND")), False, False),
    ],
)
def test_only_what_is_safe_is_repeated(
    error: grpc.aio.AioRpcError, if_repeatable: bool, if_not: bool
) -> None:
    typed = from_call(error, SERVER)
    assert may_retry(typed, is_repeatable=True) == if_repeatable
    assert may_retry(typed, is_repeatable=False) == if_not


def test_patience_heeds_what_the_service_says() -> None:
    patience = Patience(10)
    busy = from_call(failed(StatusCode.UNAVAILABLE, info("X"), retry(3)), SERVER)
    away = from_call(failed(StatusCode.UNAVAILABLE), SERVER)
    assert patience.pause(busy, attempt=1, waited=0) == 3
    assert patience.pause(busy, attempt=1, waited=7.5) is None
    pauses = [patience.pause(away, attempt=each, waited=0) or 0 for each in range(1, 12)]
    assert 0.1 <= pauses[0] <= 0.2
    assert 2.5 <= pauses[-1] <= 5
    assert Patience(0).pause(away, attempt=1, waited=0) is None
