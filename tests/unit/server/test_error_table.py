"""Every class of errors has its answer, and every answer fits into what gRPC has for it."""

import base64
from collections.abc import Iterator
from importlib import import_module
from pkgutil import walk_packages
from typing import TypeVar
from urllib.parse import quote

import pytest
from google.protobuf.message import Message
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc import StatusCode
from hypothesis import example, given, settings
from hypothesis import strategies as st

import krkn_grpc.server
from krkn_grpc.kube import errors as kube
from krkn_grpc.resources.violation import Violation
from krkn_grpc.server.errors import ANSWERS, INTERNAL, CallError, InvalidRequest, answer_for
from krkn_grpc.server.interceptors.errors import status_of
from krkn_grpc.server.runs.runnable import NotRunnable

M = TypeVar("M", bound=Message)

GRPC_TRAILERS = 8 * 1024
"""What a gRPC client takes of metadata, if nobody told it otherwise."""

# What our own account may not do, or what it wrote wrongly, is a fault of ours.
OUR_FAULT = {kube.KubeError, kube.NotAuthorized, kube.Invalid, kube.Expired}
# These are told in an entry of a reply, and are never the status of a call.
IN_A_REPLY = {NotRunnable}


def subclasses(kind: type[BaseException]) -> Iterator[type[BaseException]]:
    """A class and all that are made of it anywhere in the server."""
    for module in walk_packages(krkn_grpc.server.__path__, "krkn_grpc.server."):
        if not module.name.endswith("__main__"):
            import_module(module.name)
    found = [kind]
    for each in found:
        found += each.__subclasses__()
        yield each


@pytest.mark.parametrize("kind", sorted(set(subclasses(CallError)) - {CallError}, key=str))
def test_every_error_that_is_meant_for_callers_has_a_row(kind: type[BaseException]) -> None:
    assert (kind in ANSWERS) != (kind in IN_A_REPLY)


@pytest.mark.parametrize("kind", sorted(subclasses(kube.KubeError), key=str))
def test_every_error_of_the_kubernetes_api_has_a_row_or_is_our_fault(
    kind: type[BaseException],
) -> None:
    assert kind in ANSWERS or kind in OUR_FAULT
    assert (answer_for(kind()) is INTERNAL) == (kind in OUR_FAULT)


@pytest.mark.parametrize("kind", [kind for kind in ANSWERS if issubclass(kind, kube.KubeError)])
def test_what_the_kubernetes_api_said_is_not_repeated(kind: type[kube.KubeError]) -> None:
    assert ANSWERS[kind].message
    assert "what it said" not in str(status_of(kind("what it said")))


@pytest.mark.parametrize(
    "error", [ValueError("x"), KeyError("x"), TimeoutError(), kube.Invalid("x")]
)
def test_what_is_in_no_row_is_an_internal_error_and_says_nothing(error: Exception) -> None:
    status = status_of(error)
    assert (status.code, status.message) == (code_pb2.INTERNAL, "internal error")
    [info] = details(status, error_details_pb2.ErrorInfo)
    assert (info.reason, info.domain) == ("INTERNAL", "krkn.krkn-chaos.dev")


def test_a_subclass_is_answered_as_its_base() -> None:
    class Throttled(kube.NotWritten):
        pass

    assert answer_for(Throttled()).code is StatusCode.UNAVAILABLE


def test_reasons_are_words_of_a_constant() -> None:
    for answer in ANSWERS.values():
        assert answer.reason.replace("_", "").isalpha()
        # The name of a halted job's reason is the public one here, too.
        assert answer.reason.isupper() or answer.reason == "Halted"


def test_a_retry_is_advised_only_where_nothing_was_written() -> None:
    advised = {
        kind.__name__
        for kind in ANSWERS
        if details(status_of(made(kind)), error_details_pb2.RetryInfo)
    }
    assert advised == {"Unreachable", "NotWritten", "QuotaBusy", "WebhookAway", "TooMany"}


def test_twenty_violations_are_listed_and_all_are_counted() -> None:
    status = status_of(InvalidRequest([Violation(f"f[{n}]", "is wrong") for n in range(57)]))
    [bad] = details(status, error_details_pb2.BadRequest)
    assert [violation.field for violation in bad.field_violations] == [f"f[{n}]" for n in range(20)]
    assert status.message == "f[0]: is wrong (and 56 more, 57 in all)"


texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=400)


@example([Violation("\N{ROCKET}" * 400, "\N{ROCKET}" * 400)], 100)
@example([Violation("a" * 400, "a" * 400)], 100)
@settings(deadline=None)
@given(st.lists(st.builds(Violation, texts, texts), min_size=1, max_size=3), st.integers(1, 100))
def test_violations_fit_into_the_trailers_of_grpc(violations: list[Violation], times: int) -> None:
    error = InvalidRequest(violations * times)
    status = status_of(error)
    assert size_in_trailers(status) < GRPC_TRAILERS - 512
    [bad] = details(status, error_details_pb2.BadRequest)
    assert 1 <= len(bad.field_violations) <= 20
    total = len(violations) * times
    assert status.message.endswith(f"(and {total - 1} more, {total} in all)") or times == 1


def test_the_longest_names_and_addresses_fit_too() -> None:
    for text in ("a" * 253, "\N{ROCKET}" * 253, "https://" + "a/" * 1020):
        for kind in ANSWERS:
            assert size_in_trailers(status_of(made(kind, f"{text!r} exists"))) < GRPC_TRAILERS - 512


def size_in_trailers(status: status_pb2.Status) -> int:
    """How large grpc-message and grpc-status-details-bin are together."""
    return len(quote(status.message, safe="")) + len(base64.b64encode(status.SerializeToString()))


def made(kind: type[BaseException], text: str = "x") -> BaseException:
    """An error of the class."""
    match kind.__name__:
        case "InvalidRequest":
            return InvalidRequest([Violation(text, text)])
        case "Taken":
            return kind("DuplicateName", text)
        case _:
            return kind(text)


def details(status: status_pb2.Status, kind: type[M]) -> list[M]:
    """The details of this kind."""
    found = []
    for packed in status.details:
        message = kind()
        if packed.Unpack(message):
            found.append(message)
    return found
