"""The end of a log that fits: as much as there is room for, from a line's start on."""

import base64
import gzip
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.job_logs.compression import compress

LINES = b"".join(b"2026-01-02T03:04:05.%09dZ line %d\n" % (n * 7919, n) for n in range(20_000))


def text_of(content: str) -> bytes:
    return gzip.decompress(base64.b64decode(content))


@pytest.mark.parametrize("text", [b"", b"a", b"a\n", b"one\ntwo", b"\xff\x00\n"])
def test_what_fits_stays_as_it_is(text: bytes) -> None:
    kept = compress(text, 1_024)
    assert (text_of(kept.content), kept.size, kept.truncated) == (text, len(text), False)


def test_a_long_log_fills_its_room() -> None:
    kept = compress(LINES, 65_536)
    text = text_of(kept.content)
    assert LINES.endswith(b"\n" + text)
    assert (kept.size, kept.truncated) == (len(text), True)
    assert 0.9 * 65_536 < len(base64.b64decode(kept.content)) <= 65_536


def test_the_first_line_of_an_end_is_cut_through() -> None:
    kept = compress(b"rest of a line\none\ntwo\n", 1_024, truncated=True)
    assert (text_of(kept.content), kept.truncated) == (b"one\ntwo\n", True)
    assert text_of(compress(b"rest of a line", 1_024, truncated=True).content) == b"rest of a line"


def test_of_a_line_that_is_too_long_the_end_is_kept() -> None:
    text = random.Random(1).randbytes(100_000).hex().encode() + b"\n"
    kept = compress(text, 1_024)
    assert text.endswith(text_of(kept.content))
    assert kept.size > 1_000


def test_no_character_is_cut_through() -> None:
    text = "".join(random.Random(1).choices("äöü€🔥", k=50_000)).encode()
    text_of(compress(text, 1_024).content).decode()


@given(st.binary(max_size=20_000), st.integers(64, 2_048), st.booleans())
def test_of_anything_an_end_fits(text: bytes, most: int, truncated: bool) -> None:
    kept = compress(text, most, truncated=truncated)
    assert text.endswith(text_of(kept.content))
    assert len(base64.b64decode(kept.content)) <= most
    assert kept.truncated == (truncated or kept.size < len(text))
    assert kept == compress(text, most, truncated=truncated), "the same each time"


def test_no_room_at_all_is_said() -> None:
    with pytest.raises(ValueError, match="no text fits in 8 bytes"):
        compress(b"a", 8)
