"""Which text a pod is given, and that to have passed once opens no other door."""

import base64
import json
import pickle

import pytest

from controller.credentials import CredentialCache
from controller.reason import Reason
from krkn_grpc.resources import kubeconfig, well_known
from krkn_grpc.resources.addresses import AddressRules
from krkn_grpc.resources.core import Secret
from krkn_grpc.resources.credential_secret import Credential
from krkn_grpc.resources.meta import ObjectMeta, owner_of
from krkn_grpc.resources.target import Target
from tests.unit.controller.jobs.builders import (
    API_URL,
    SECRET_UUID,
    a_credential,
    a_target,
    with_target_metadata,
)

TARGET = a_target()


def secret(text: str, owner: Target = TARGET) -> Secret:
    wrapped = json.dumps({"kubeconfig": base64.b64encode(text.encode()).decode()})
    return Secret(
        metadata=ObjectMeta(
            name=SECRET_UUID,
            labels={well_known.TARGET_UUID: owner.metadata.name},
            owner_references=[owner_of(owner)],
        ),
        data={kubeconfig.SECRET_KEY: base64.b64encode(wrapped.encode()).decode()},
    )


TEXT = a_credential().kubeconfig


@pytest.fixture
def handover() -> CredentialCache:
    """One that has let the text of the target pass."""
    known = CredentialCache(AddressRules())
    assert known.credential(secret(TEXT), TARGET) == Credential(TEXT)
    return known


def test_what_has_passed_is_given_again(handover: CredentialCache) -> None:
    assert handover.credential(secret(TEXT), TARGET) == Credential(TEXT)


def test_no_secret(handover: CredentialCache) -> None:
    assert isinstance(handover.credential(None, TARGET), Reason)


def test_a_text_that_passed_is_refused_to_another_owner(handover: CredentialCache) -> None:
    other = with_target_metadata(TARGET, uid="uid-of-another-target")
    assert isinstance(handover.credential(secret(TEXT), other), Reason)


def test_a_text_that_passed_is_refused_for_another_server(handover: CredentialCache) -> None:
    elsewhere = a_target(cluster_api_url="https://elsewhere.example:6443")
    found = handover.credential(secret(TEXT, elsewhere), elsewhere)
    assert isinstance(found, Reason)
    assert "another server" in found.message


def test_a_changed_text_is_checked(handover: CredentialCache) -> None:
    changed = TEXT.replace('token: "the-token"', "tokenFile: /etc/passwd")
    assert changed != TEXT
    assert isinstance(handover.credential(secret(changed), TARGET), Reason)
    assert handover.credential(secret(TEXT), TARGET) == Credential(TEXT)


@pytest.mark.parametrize("times", [1, 2])
def test_what_others_have_spelled_is_spelled_anew(handover: CredentialCache, times: int) -> None:
    """A pod is given the current context and nothing of what else stood in the text."""
    spelled = TEXT + "preferences: {colors: true}\n"
    for _ in range(times):
        found = handover.credential(secret(spelled), TARGET)
    assert found == Credential(TEXT)


def test_an_address_that_may_not_be_contacted() -> None:
    url = "https://169.254.169.254"
    text = kubeconfig.render(kubeconfig.from_token(url, "the-token"))
    target = a_target(cluster_api_url=url)
    known = CredentialCache(AddressRules())
    for _ in range(2):
        found = known.credential(secret(text, target), target)
        assert isinstance(found, Reason)
        assert found.reason == "AddressRefused"


def test_nothing_of_a_credential_is_kept(handover: CredentialCache) -> None:
    kept = pickle.dumps(dict(handover._passed))
    assert API_URL.encode() in kept, "or this would look in the wrong place"
    assert b"the-token" not in kept


def test_a_credential_shows_nothing() -> None:
    assert "the-token" not in repr(a_credential())
