"""Our section of the Secret that all providers share."""

import base64
import json

import msgspec
import pytest

from controller.target_requests.section import (
    Absent,
    NotOurs,
    Present,
    Unreadable,
    fit,
    lacks_kubeconfigs,
    read,
    without_kubeconfigs,
)
from krkn_grpc.resources.core import Secret
from krkn_grpc.resources.meta import ObjectMeta, OwnerReference
from krkn_grpc.resources.names import PROVIDER
from krkn_grpc.resources.target_request import SECRET_KEY
from tests.unit.controller.target_requests.requests import SECTION, UUID, a_request

OWNER = OwnerReference(api_version="v", kind="k", name=UUID, uid="its uid", controller=True)


def a_secret(text: bytes | None, owner: OwnerReference = OWNER) -> Secret:
    """The request's Secret with this text."""
    data = {} if text is None else {SECRET_KEY: base64.b64encode(text).decode()}
    metadata = ObjectMeta(name=UUID, resource_version="3", owner_references=[owner])
    return Secret(metadata=metadata, data=data)


def test_no_secret_is_absent() -> None:
    assert read(None, a_request()) == Absent()


@pytest.mark.parametrize("changed", [{"uid": "another"}, {"controller": False}])
def test_one_that_the_request_does_not_control_is_not_ours(changed: dict[str, str]) -> None:
    owner = msgspec.structs.replace(OWNER, **changed)
    assert read(a_secret(b"{}", owner), a_request()) == NotOurs()


DEEP = b"[" * 5_000 + b"]" * 5_000


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b'"a"', b"\xff", b'{"acm": %s}' % DEEP])
def test_other_text_than_an_object_is_unreadable(text: bytes) -> None:
    assert read(a_secret(text), a_request()) == Unreadable()


def test_a_secret_without_the_key_has_no_sections() -> None:
    assert read(a_secret(None), a_request()) == Present("3", {})


@pytest.mark.parametrize("own", [b"5", b'{"one": 5}', b'{"one": {"kubeconfig": 5}}'])
def test_a_section_in_another_form_counts_as_none(own: bytes) -> None:
    found = read(a_secret(b'{"%s": %s}' % (PROVIDER.encode(), own)), a_request())
    assert isinstance(found, Present)
    assert found.own is None


def test_the_sections_of_others_stay_as_they_are_to_the_byte() -> None:
    foreign = b'{ "c" : {"kubeconfig":"\\u0041", "n": 1.0e2, "more": [1,  2]}}'
    found = read(a_secret(b'{"acm": %s, "old": {"kubeconfig": "x"}}' % foreign), a_request())
    assert isinstance(found, Present)
    fitted = fit(found, SECTION)
    assert fitted is not None
    assert foreign in fitted.text
    whole = json.loads(fitted.text)
    assert whole.keys() == {"acm", "old", PROVIDER}
    assert whole[PROVIDER] == {
        "one": {
            "cluster-name": "one",
            "cluster-api": "https://one.example",
            "kubeconfig": "YQ==",
        }
    }


def test_a_section_without_kubeconfigs_says_so() -> None:
    assert lacks_kubeconfigs(without_kubeconfigs(SECTION))
    assert not lacks_kubeconfigs(SECTION)
    assert not lacks_kubeconfigs({})


def test_no_credential_is_printed() -> None:
    fitted = fit(Absent(), SECTION)
    assert "YQ==" not in f"{fitted!r} {SECTION!r}"
