"""The text of a kept log: whole, its last lines, with and without times, whatever is in it."""

import base64
import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from krkn_grpc.resources.kept_log import MOST_TEXT_BYTES
from krkn_grpc.server.runs import kept_text
from krkn_grpc.server.runs.kept_text import LineCount, NotAText, read, unpacked

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
    content, count = packed(text), LineCount()
    for piece in unpacked(content):
        count.add(piece)
    skip = 0 if tail_lines is None else max(count.lines - tail_lines, 0)
    return b"".join(read(content, skip_lines=skip, timestamps=timestamps)).decode()


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
    ["", "x", "\x80", "AAAA", packed("some text")[:-8]],
    ids=["empty", "no base64", "no ASCII", "no gzip", "cut"],
)
def test_what_is_no_text_is_said(content: str) -> None:
    with pytest.raises(NotAText):
        list(read(content, skip_lines=0, timestamps=False))


@pytest.mark.parametrize("unit", ["\0", "\n"], ids=["zeros", "line breaks"])
@pytest.mark.parametrize("skip", [0, MOST_TEXT_BYTES - 1], ids=["whole", "tail"])
def test_a_text_that_unpacks_to_much_comes_in_pieces(unit: str, skip: int) -> None:
    """Of what is skipped, too, or all of it would be unpacked between two of them."""
    pieces = list(read(packed(unit * MOST_TEXT_BYTES), skip_lines=skip, timestamps=False))
    assert max(map(len, pieces)) <= 64 * 1024 + 64
    assert len(pieces) >= MOST_TEXT_BYTES // (64 * 1024)


def test_a_text_that_no_controller_has_written_is_not_unpacked_to_its_end() -> None:
    taken: list[bytes] = []
    with pytest.raises(NotAText):
        taken.extend(unpacked(packed("\0" * (MOST_TEXT_BYTES + 1))))
    assert sum(map(len, taken)) <= MOST_TEXT_BYTES
