"""A request is decoded unless it is too large, has too many fields, or is none."""

import pytest

from krkn_grpc.server.errors import InvalidRequest, NotReceived, TooLarge
from krkn_grpc.server.interceptors.decoding import MOST_FIELDS, decode, has_more_fields
from krkn_grpc.server.limits import LARGEST_MESSAGE
from krkn_grpc.v1 import scenario_runs_pb2 as runs
from tests.integration.auth import attacks

DECODER = runs.RunScenarioRequest.FromString


def read(message: bytes) -> runs.RunScenarioRequest:
    """Decode what may be as large as a message can be."""
    request: runs.RunScenarioRequest = decode(message, LARGEST_MESSAGE, DECODER)
    return request


def a_request(targets: int, size: int = 36) -> runs.RunScenarioRequest:
    """A run on so many targets."""
    return runs.RunScenarioRequest(
        target_uuids=["x" * size] * targets,
        environment={"A": "b"},
        timeout_seconds=300_000,
        files=[runs.ScenarioFile(name="a", content="x" * 300_000)],
        labels={"a": "b" * 60},
    )


@pytest.mark.parametrize("targets", [0, 1, 1_000, MOST_FIELDS - 20])
def test_what_is_in_order_is_decoded(targets: int) -> None:
    request = a_request(targets)
    assert read(request.SerializeToString()) == request


def test_a_short_message_may_have_many_fields() -> None:
    request = runs.RunScenarioRequest(target_uuids=[""] * 30_000)
    assert read(request.SerializeToString()) == request


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(attacks.targets_without_a_name(), id="targets"),
        pytest.param(attacks.all_variables(), id="variables"),
        pytest.param(a_request(MOST_FIELDS).SerializeToString(), id="one too many"),
        pytest.param(b"\xf8\x07\0" * 100_000, id="unknown fields"),
        pytest.param(b"\xfb\x07\xfc\x07" * 100_000, id="unknown groups"),
        pytest.param(b"\xfd\x07abcd" * 100_000, id="unknown fields of four bytes"),
    ],
)
def test_a_long_message_of_very_many_fields_is_refused(message: bytes) -> None:
    with pytest.raises(InvalidRequest, match=rf"^request: must have at most {MOST_FIELDS} "):
        read(message)


@pytest.mark.parametrize("end", [b"\xff" * 9, b"\x0a", b"\x0a\xff\xff\xff\xff\x0f", b"\x0f"])
def test_what_is_no_message(end: bytes) -> None:
    with pytest.raises(NotReceived):
        read(a_request(1).SerializeToString() + end)


def test_what_is_too_large() -> None:
    assert decode(b"x" * 10, 10, len) == 10
    with pytest.raises(TooLarge, match="10 bytes"):
        decode(b"x" * 11, 10, len)


def test_fields_are_counted_as_they_are_written() -> None:
    message = a_request(5).SerializeToString()  # and four others
    assert has_more_fields(message, 8)
    assert not has_more_fields(message, 9)
