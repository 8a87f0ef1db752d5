"""Logs cut into whole lines, wherever their chunks end."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from krkn_grpc.server.chaos_runs.lines import GONE, LONGEST_LINE, Block, LineSplitter

_logs = st.lists(st.sampled_from([b"\n", b"a", b"\r", "ä".encode(), b"x" * 9_000]), max_size=30)


def blocks(log: bytes, cuts: list[int]) -> list[bytes]:
    """The blocks of a log whose chunks end at these places."""
    splitter, ends = LineSplitter(), sorted({min(cut, len(log)) for cut in cuts} | {len(log)})
    chunks = [log[start:end] for start, end in zip([0, *ends], ends, strict=False)]
    return [*(splitter.whole(chunk) for chunk in chunks), splitter.last()]


def expected(log: bytes) -> list[bytes]:
    """The lines of a log, each in parts of the longest length."""
    lines = log.split(b"\n")
    if not lines[-1]:
        lines.pop()
    return [
        line[start : start + LONGEST_LINE]
        for line in lines
        for start in range(0, max(len(line), 1), LONGEST_LINE)
    ]


@given(_logs.map(b"".join), st.lists(st.integers(0, 300_000), max_size=8))
def test_the_lines_are_the_same_wherever_chunks_end(log: bytes, cuts: list[int]) -> None:
    found = blocks(log, cuts)
    assert all(not block or block.endswith(b"\n") for block in found)
    lines = [line for block in found for line in Block(data=block).lines()]
    assert lines == expected(log)


@pytest.mark.parametrize("length", [LONGEST_LINE - 1, LONGEST_LINE, LONGEST_LINE + 1])
def test_a_line_of_about_the_longest_length(length: int) -> None:
    log = b"a" * length + b"\nb\n"
    lines = [line for block in blocks(log, [length]) for line in Block(data=block).lines()]
    assert lines == expected(log)


def test_what_is_kept_is_bounded() -> None:
    splitter = LineSplitter()
    for _ in range(100):
        splitter.whole(b"x" * 64 * 1024)
    assert len(splitter.last()) <= LONGEST_LINE + 1


def test_each_line_of_the_text_has_the_name_before_it() -> None:
    block = Block("id", "prod ä", b"a\n\nb\n")
    assert b"".join(block.pieces()).decode() == "[prod ä] a\n[prod ä] \n[prod ä] b\n"


@pytest.mark.parametrize(
    ("source", "note", "said"),
    [
        ("kept", "", "# prod ä: the pod is gone; this is the log that was kept\n"),
        (
            "kept, truncated",
            "",
            "# prod ä: the pod is gone; this is the end of the log, which was kept\n",
        ),
        (GONE, "it is gone", "# prod ä: it is gone\n"),
        ("", "", ""),
    ],
    ids=["kept", "truncated", "gone", "of the pod"],
)
def test_what_is_said_of_a_log_is_no_line_of_a_log(source: str, note: str, said: str) -> None:
    first = Block("id", "prod ä", source=source, note=note)
    assert b"".join(first.pieces()).decode() == said
    assert list(first.lines()) == []
    lines = Block("id", "prod ä", b"# a\n", source, note)
    assert b"".join(lines.pieces()).decode() == "[prod ä] # a\n"


def test_a_block_of_many_short_lines_is_sent_in_pieces_that_fit_into_messages() -> None:
    pieces = list(Block("id", "c" * 253, b"\n" * 64 * 1024).pieces())
    assert max(map(len, pieces)) < 128 * 1024
    assert b"".join(pieces).count(b"\n") == 64 * 1024


def test_no_lines_are_no_pieces() -> None:
    assert list(Block().pieces()) == []
