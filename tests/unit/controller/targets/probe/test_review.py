"""What an answer of a cluster means; the bodies are those of Kubernetes 1.36."""

import json

import pytest

from controller.targets.probe.result import ProbeResult
from controller.targets.probe.review import (
    ACCEPTED,
    IGNORED,
    MAY_I,
    NOT_KUBERNETES,
    QUESTIONS,
    REDIRECTED,
    REFUSED,
    UNAVAILABLE,
    WHO_AM_I,
    Question,
    Reply,
    cluster_uid,
    meaning,
    server_version,
)


def review(kind: str, **status: object) -> bytes:
    return json.dumps({"kind": kind, "metadata": {}, "status": status}).encode()


def forbidden(user: str) -> bytes:
    message = (
        f'selfsubjectreviews.authentication.k8s.io is forbidden: User "{user}" cannot create '
        'resource "selfsubjectreviews" in API group "authentication.k8s.io" at the cluster scope'
    )
    return json.dumps(
        {"kind": "Status", "status": "Failure", "message": message, "reason": "Forbidden"}
    ).encode()


ADMIN = {"username": "admin", "groups": ["system:masters", "system:authenticated"]}
NOBODY = {"username": "system:anonymous", "groups": ["system:unauthenticated"]}
WHO = "SelfSubjectReview"
MAY = "SelfSubjectAccessReview"


@pytest.mark.parametrize(
    ("question", "reply", "expected"),
    [
        pytest.param(WHO_AM_I, Reply(201, review(WHO, userInfo=ADMIN)), ACCEPTED, id="known"),
        pytest.param(WHO_AM_I, Reply(200, review(WHO, userInfo=ADMIN)), ACCEPTED, id="with 200"),
        pytest.param(WHO_AM_I, Reply(201, review(WHO, userInfo=NOBODY)), IGNORED, id="anonymous"),
        pytest.param(
            WHO_AM_I,
            Reply(201, review(WHO, userInfo={**NOBODY, "username": "guest"})),
            IGNORED,
            id="anonymous by another name",
        ),
        pytest.param(WHO_AM_I, Reply(201, review(WHO)), NOT_KUBERNETES, id="nobody"),
        pytest.param(WHO_AM_I, Reply(201, review(MAY)), NOT_KUBERNETES, id="another review"),
        pytest.param(WHO_AM_I, Reply(201, b"\xff"), NOT_KUBERNETES, id="not UTF-8"),
        pytest.param(WHO_AM_I, Reply(201, b"[]"), NOT_KUBERNETES, id="a list"),
        pytest.param(WHO_AM_I, Reply(201, b'{"kind":7}'), NOT_KUBERNETES, id="wrong types"),
        pytest.param(MAY_I, Reply(201, review(MAY, allowed=False)), ACCEPTED, id="may not"),
        pytest.param(MAY_I, Reply(201, review(WHO)), NOT_KUBERNETES, id="not what was asked"),
        pytest.param(WHO_AM_I, Reply(401, b"{}"), REFUSED, id="401"),
        pytest.param(WHO_AM_I, Reply(403, forbidden("bob")), ACCEPTED, id="may do little"),
        pytest.param(WHO_AM_I, Reply(403, forbidden("system:anonymous")), IGNORED, id="anon 403"),
        pytest.param(WHO_AM_I, Reply(403, b"<html>Forbidden"), REFUSED, id="403 of another"),
        pytest.param(WHO_AM_I, Reply(403, b'{"kind":"Status"}'), REFUSED, id="403 without reason"),
        pytest.param(WHO_AM_I, Reply(404), None, id="older than 1.28"),
        pytest.param(MAY_I, Reply(405), None, id="no such call"),
        pytest.param(WHO_AM_I, Reply(301), REDIRECTED, id="301"),
        pytest.param(WHO_AM_I, Reply(307), REDIRECTED, id="307"),
        pytest.param(WHO_AM_I, Reply(429), UNAVAILABLE, id="429"),
        pytest.param(WHO_AM_I, Reply(503), UNAVAILABLE, id="503"),
        pytest.param(WHO_AM_I, Reply(204), NOT_KUBERNETES, id="204"),
        pytest.param(WHO_AM_I, Reply(418), NOT_KUBERNETES, id="418"),
    ],
)
def test_meaning(question: Question, reply: Reply, expected: ProbeResult | None) -> None:
    assert meaning(question, reply) == expected


def test_only_one_answer_makes_ready() -> None:
    results = (ACCEPTED, REFUSED, IGNORED, REDIRECTED, UNAVAILABLE, NOT_KUBERNETES)
    assert [result for result in results if result.ready] == [ACCEPTED]


def test_questions_change_nothing() -> None:
    assert {json.loads(question.body)["kind"] for question in QUESTIONS} == {WHO, MAY}
    assert all("selfsubject" in question.path for question in QUESTIONS)


UID = "6f1c1b6e-0000-4000-8000-000000000001"


def namespace(**metadata: object) -> bytes:
    named = {"name": "kube-system", "uid": UID} | metadata
    return json.dumps({"kind": "Namespace", "metadata": named}).encode()


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (Reply(200, namespace()), UID),
        (Reply(200, namespace(name="default")), None),
        (Reply(200, namespace(uid="not one")), None),
        (Reply(200, namespace(uid=None)), None),
        (Reply(200, b'{"kind":"Status"}'), None),
        (Reply(200, b"[" * 100_000), None),
        (Reply(403, namespace()), None),
        (Reply(401), None),
        (Reply(302), None),
    ],
)
def test_who_a_cluster_is(reply: Reply, expected: str | None) -> None:
    assert cluster_uid(reply) == expected


def told_version(text: object) -> bytes:
    return json.dumps({"major": "1", "gitVersion": text}).encode()


@pytest.mark.parametrize(
    "text",
    ["v1.31.2", "1.36", "v1.29.4+k3s1", "v1.27.3-gke.100", "v1.30.0-rc.1+1f2e3d4c5b6a79"],
)
def test_a_version_of_the_known_form_is_repeated(text: str) -> None:
    assert server_version(Reply(200, told_version(text))) == text


@pytest.mark.parametrize(
    "reply",
    [
        Reply(401),
        Reply(403, told_version("v1.31.2")),
        Reply(404),
        Reply(200),
        Reply(200, b"v1.31.2"),
        Reply(200, b"{" * 10_000),
        Reply(200, told_version(None)),
        Reply(200, told_version(1.31)),
        Reply(200, told_version("")),
        Reply(200, told_version("v1")),
        Reply(200, told_version("v1.31.2\n")),
        Reply(200, told_version("v1.31.2 <b>call this number</b>")),
        Reply(200, told_version("v1.31.2-" + "a" * 24)),
        Reply(200, told_version("1." + "1" * 63)),
        Reply(200, told_version("v1.31.2-ü")),
        Reply(200, told_version("v1.\N{ARABIC-INDIC DIGIT ONE}.2")),
    ],
    ids=lambda reply: f"{reply.status} {reply.body[:40]!r}",
)
def test_nothing_else_of_a_remote_is_repeated(reply: Reply) -> None:
    assert server_version(reply) == ""
