"""The text of a kept log: whole, its last lines, with and without times, whatever is in it."""

import base64
import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from krkn_grpc.server.runs import kept_text
from krkn_grpc.server.runs.kept_text import NotAText, read

TIME = "2026-01-02T03:04:05.123456789Z "
LINES = st.lists(
    st.tuples(
        st.sampled_from([TIME, "2026-01-02T03:04:05.12+02:00 ", ""]),
        st.text("xé \r", max_size=200),
    ),
    max_size=20,
)


def packed(text: str) -> str:
    return base64.b64encode(gzip.compress(text.encode())).decode()


def text_of(text: str, *, tail_lines: int | None = None, timestamps: bool = False) -> str:
    pieces = read(packed(text), tail_lines=tail_lines, timestamps=timestamps)
    return b"".join(pieces).decode()


@pytest.mark.parametrize("piece", [64, 100, 64 * 1024])
@given(lines=LINES, end=st.sampled_from(["", "\n"]), tail=st.integers(0, 22))
def test_all_options(piece: int, lines: list[tuple[str, str]], end: str, tail: int) -> None:
    kept_text._PIECE, before = piece, kept_text._PIECE
    try:
        whole = "\n".join(time + text for time, text in lines) + (end if lines else "")
        bare = "\n".join(text for _, text in lines) + (end if lines else "")
        assert text_of(whole, timestamps=True) == whole
        assert text_of(whole) == bare
        *ended, rest = whole.split("\n")
        all_lines = [f"{line}\n" for line in ended] + ([rest] if rest else [])
        last = "".join(all_lines[max(len(all_lines) - tail, 0) :])
        assert text_of(whole, tail_lines=tail, timestamps=True) == last
    finally:
        kept_text._PIECE = before


def test_a_time_is_only_taken_from_the_start_of_a_line() -> None:
    assert text_of(f"{TIME}{TIME}a {TIME}b\n") == f"{TIME}a {TIME}b\n"


@pytest.mark.parametrize(
    "content",
    ["", "x", "AAAA", packed("some text")[:-8]],
    ids=["empty", "no base64", "no gzip", "cut"],
)
def test_what_is_no_text_is_said(content: str) -> None:
    with pytest.raises(NotAText):
        list(read(content, tail_lines=None, timestamps=False))


def test_a_text_that_unpacks_to_much_comes_in_pieces() -> None:
    zeros = read(packed("\0" * 50_000_000), tail_lines=None, timestamps=False)
    assert max(map(len, zeros)) <= 64 * 1024 + 64
