"""The caller's name in the metadata of a reply: what a name may hold, metadata may not."""

from typing import Any, cast

import pytest

from krkn_grpc.server.metadata import name_caller

Pairs = tuple[tuple[str, str], ...]


class Trailers:
    """As much of a call's context as is told of the caller."""

    def __init__(self) -> None:
        self.sent: Pairs = ()

    def set_trailing_metadata(self, pairs: Pairs) -> None:
        self.sent = pairs


def told(user: str) -> Pairs:
    """What is sent for a caller of this name."""
    context = Trailers()
    name_caller(cast(Any, context), user)
    return context.sent


@pytest.mark.parametrize(
    ("user", "sent"),
    [
        ("system:serviceaccount:team-a:ci", "system:serviceaccount:team-a:ci"),
        ("https://idp.example#a b", "https://idp.example#a b"),
        ("a\r\nkrkn-user: admin", "a%0D%0Akrkn-user: admin"),
        ("100%", "100%25"),
        ("Zoë\x00", "Zo%C3%AB%00"),
        ("u" * 256, "u" * 256),
        ("u" * 257, "u" * 253 + "..."),
        ("u" * 252 + "ü" * 9, "u" * 252 + "..."),
        ("u" * 251 + "ü" * 9, "u" * 251 + "..."),
        ("u" * 250 + "ü" * 9, "u" * 250 + "%C3" + "..."),
    ],
)
def test_a_name_is_escaped_and_bounded(user: str, sent: str) -> None:
    assert told(user) == (("krkn-user", sent),)
    assert sent.isascii()
    assert sent.isprintable()


def test_an_unknown_caller_has_no_name() -> None:
    assert told("") == ()
