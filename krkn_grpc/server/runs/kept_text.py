"""The text of a kept log, as its reader wants it: the last lines, with or without times. Pure.

It is unpacked piece by piece: a few bytes may hold a gigabyte.
"""

import base64
import binascii
import zlib
from collections.abc import Iterable, Iterator

from krkn_grpc.resources.log_times import without_times

_GZIP = 31
_PIECE = 64 * 1024


class NotAText(Exception):
    """The content is not base64 of gzip."""


def read(content: str, *, tail_lines: int | None, timestamps: bool) -> Iterator[bytes]:
    """Yield the text in pieces that end anywhere, with at most the last `tail_lines` lines.

    Raises NotAText.
    """
    pieces = _unpacked(content)
    if tail_lines is not None:
        pieces = _tail(pieces, _count(_unpacked(content)) - tail_lines)
    return pieces if timestamps else without_times(pieces)


def _unpacked(content: str) -> Iterator[bytes]:
    try:
        data = base64.b64decode(content, validate=True)
        unpacking = zlib.decompressobj(_GZIP)
        while data and not unpacking.eof:
            yield unpacking.decompress(data, _PIECE)
            data = unpacking.unconsumed_tail
        if not unpacking.eof:
            raise NotAText("it breaks off")
    except (binascii.Error, zlib.error) as error:
        raise NotAText(str(error)) from None


def _count(pieces: Iterable[bytes]) -> int:
    """Return the number of lines, the last one also if nothing ends it."""
    lines, last = 0, b"\n"
    for piece in pieces:
        lines += piece.count(b"\n")
        last = piece[-1:] or last
    return lines + (last != b"\n")


def _tail(pieces: Iterable[bytes], skip: int) -> Iterator[bytes]:
    """Yield what comes after the first `skip` lines."""
    for piece in pieces:
        if skip <= 0:
            yield piece
            continue
        here = piece.count(b"\n")
        if here < skip:
            skip -= here
            continue
        start = 0
        for _ in range(skip):
            start = piece.index(b"\n", start) + 1
        skip = 0
        yield piece[start:]
