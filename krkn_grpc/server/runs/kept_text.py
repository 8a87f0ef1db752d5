"""The text of a kept log, as its reader wants it: the last lines, with or without times. Pure.

It is unpacked piece by piece, and no further than a kept log may be: a few bytes may hold a
gigabyte. Each piece takes milliseconds, so that others have their turn between two of them.
"""

import base64
import zlib
from collections.abc import Iterable, Iterator

from krkn_grpc.resources.kept_log import MOST_TEXT_BYTES
from krkn_grpc.resources.log_times import without_times

_GZIP = 31
_PIECE = 64 * 1024


class NotAText(Exception):
    """The content is not base64 of gzip, or of more than a kept log may be."""


class LineCount:
    """The number of lines in what was added, the last one also if nothing ends it."""

    def __init__(self) -> None:
        self._ended, self._last = 0, b"\n"

    def add(self, piece: bytes) -> None:
        """Count the lines of the next piece of a text."""
        self._ended += piece.count(b"\n")
        self._last = piece[-1:] or self._last

    @property
    def lines(self) -> int:
        """How many there are so far."""
        return self._ended + (self._last != b"\n")


def unpacked(content: str) -> Iterator[bytes]:
    """Yield the text in pieces that end anywhere; raises NotAText."""
    size = 0
    try:
        data = base64.b64decode(content, validate=True)
        unpacking = zlib.decompressobj(_GZIP)
        while data and not unpacking.eof:
            piece = unpacking.decompress(data, _PIECE)
            size += len(piece)
            if size > MOST_TEXT_BYTES:
                raise NotAText(f"it is longer than {MOST_TEXT_BYTES} bytes")
            yield piece
            data = unpacking.unconsumed_tail
        if not unpacking.eof:
            raise NotAText("it breaks off")
    except (ValueError, zlib.error) as error:
        raise NotAText(str(error)) from None


def read(content: str, *, skip_lines: int, timestamps: bool) -> Iterator[bytes]:
    """Yield what comes after the first `skip_lines` lines, in pieces that end anywhere.

    A piece of what is skipped is empty. Raises NotAText.
    """
    pieces = _tail(unpacked(content), skip_lines)
    return pieces if timestamps else without_times(pieces)


def _tail(pieces: Iterable[bytes], skip: int) -> Iterator[bytes]:
    for piece in pieces:
        if skip <= 0:
            yield piece
            continue
        here = piece.count(b"\n")
        yield b"" if here < skip else piece.split(b"\n", skip)[skip]
        skip -= min(here, skip)
