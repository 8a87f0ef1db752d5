"""The times that a node puts before the lines of a log. Pure."""

import re
from collections.abc import Iterable, Iterator

_TIME = re.compile(rb"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{8,18}(?:Z|[+-][0-9:]{5}) ", re.MULTILINE)
_LONGEST_TIME = 64


def without_times(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield a log without the times before its lines; its pieces may end anywhere.

    The first piece begins with a line. A line without a time stays as it is.
    """
    rest, is_line_start = b"", True
    for piece in pieces:
        text = rest + piece
        # A time may be cut through only at the start of the last line.
        last = text.rfind(b"\n") + 1
        is_last_cut = len(text) - last < _LONGEST_TIME and (last > 0 or is_line_start)
        end = last if is_last_cut else len(text)
        rest, text = text[end:], text[:end]
        yield _stripped(text, is_line_start=is_line_start)
        if text:
            is_line_start = text.endswith(b"\n")
    yield _stripped(rest, is_line_start=is_line_start)


def _stripped(text: bytes, *, is_line_start: bool) -> bytes:
    if is_line_start:
        return _TIME.sub(b"", text)
    first, end, others = text.partition(b"\n")
    return first + end + _TIME.sub(b"", others)
