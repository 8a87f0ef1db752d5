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
        (" admin ", "%20admin%20"),
        (" ", "%20"),
        ("u" * 257, "u" * 213 + "...%sha256:36868c95693f7961e19205254a6e6135"),
        ("u" * 212 + "ü" * 9, "u" * 212 + "...%sha256:4754e0272c902a46aeee254b810f9193"),
        ("u" * 211 + "ü" * 9, "u" * 211 + "...%sha256:766b0c0770868d55184b36b997b7a366"),
        ("u" * 210 + "ü" * 9, "u" * 210 + "%C3" + "...%sha256:047cb3424ae2162ef0c84a482b5389f3"),
    ],
)
def test_a_name_is_escaped_and_bounded(user: str, sent: str) -> None:
    assert told(user) == (("krkn-user", sent),)
    assert sent.isascii()
    assert sent.isprintable()


@pytest.mark.parametrize("end", ["u" * 300, "ü" * 60], ids=["long", "long once escaped"])
def test_no_two_callers_have_one_name(end: str) -> None:
    """Else one could use up the limits of the other, and hide behind that name in the log."""
    names = {told(f"{end}{number}")[0][1] for number in range(9)}
    assert len(names) == 9
    assert max(map(len, names)) <= 256
    # Nor has one that is called as another is cut.
    assert not names & {told(name)[0][1] for name in names}


def test_an_unknown_caller_has_no_name() -> None:
    assert told("") == ()
