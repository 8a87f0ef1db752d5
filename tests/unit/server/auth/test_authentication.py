"""One bearer token is read from a call, or the call is refused."""

import pytest

from krkn_grpc.server.auth.authentication import bearer_token
from krkn_grpc.server.errors import NotAuthenticated

JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln-_8"  # pragma: allowlist secret


@pytest.mark.parametrize(
    "value",
    [f"Bearer {JWT}", f"bearer {JWT}", f"BEARER {JWT}", f"Bearer   {JWT}", f"Bearer {JWT} "],
)
def test_a_token(value: str) -> None:
    assert bearer_token([("user-agent", "x"), ("authorization", value)]) == JWT


@pytest.mark.parametrize("token", ["a", "YWJj==", "a.b-c_d~e+f/g", "x" * 16 * 1024])
def test_tokens_of_all_kinds(token: str) -> None:
    assert bearer_token([("authorization", f"Bearer {token}")]) == token


@pytest.mark.parametrize(
    "value",
    [
        "",
        "Bearer",
        "Bearer ",
        JWT,
        f"Basic {JWT}",
        f"BearerX {JWT}",
        f"Bearer{JWT}",
        f"Bearer\t{JWT}",
        f"Bearer {JWT}, Bearer {JWT}",
        f"Bearer {JWT},{JWT}",
        f"Bearer {JWT} {JWT}",
        f"Bearer {JWT}\n",
        "Bearer a=b",
        "Bearer =",
        "Bearer ä",
        "Bearer \uff41",
        "Bearer a\0",
        "Bearer " + "x" * (16 * 1024 + 1),
        f"Bearer {JWT}".encode(),
    ],
)
def test_what_is_not_exactly_one_token_is_refused(value: str | bytes) -> None:
    with pytest.raises(NotAuthenticated) as refused:
        bearer_token([("authorization", value)])
    assert JWT not in str(refused.value)


def test_two_headers_are_refused_even_if_they_are_the_same() -> None:
    header = ("authorization", f"Bearer {JWT}")
    with pytest.raises(NotAuthenticated, match="one bearer token"):
        bearer_token([header, header])


@pytest.mark.parametrize("name", ["authorization-bin", "proxy-authorization", "x-authorization"])
def test_no_other_header_counts(name: str) -> None:
    with pytest.raises(NotAuthenticated, match="is required"):
        bearer_token([(name, f"Bearer {JWT}")])
