"""Compresses the end of a log to a number of bytes. Pure; takes tens of milliseconds."""

import base64
import gzip
from dataclasses import dataclass

# Levels above cost twice the time for a few per cent.
_LEVEL = 6
# Of the room that a cut is calculated for: an end may compress worse than the whole.
_SHARE = 0.97
# Each cuts a tenth at least; text that compresses worse and worse towards its end needs many.
_MOST_CUTS = 40


@dataclass(frozen=True)
class Compressed:
    """The end of a log: gzip in base64, the length of its text, and whether text was left out."""

    content: str
    size: int
    truncated: bool


def compress(text: bytes, most: int, *, truncated: bool = False) -> Compressed:
    """Return the end of the text that takes at most `most` bytes as gzip, from a line's start on.

    `truncated` says that the text itself is only the end of a log. Raises ValueError when `most` is
    too small for any text.
    """
    if truncated:
        # The first line is cut through, as far as anyone knows; it may be the only one.
        text = text.partition(b"\n")[2] or text
    end = text
    for _ in range(_MOST_CUTS):
        # Without a time in it: the same text gives the same bytes.
        packed = gzip.compress(end, _LEVEL, mtime=0)
        if len(packed) <= most:
            is_cut = truncated or len(end) < len(text)
            return Compressed(base64.b64encode(packed).decode(), len(end), is_cut)
        wanted = int(len(end) * min(most / len(packed) * _SHARE, 0.9))
        end = _end_of(end, wanted)
    raise ValueError(f"no text fits in {most} bytes")


def _end_of(text: bytes, most: int) -> bytes:
    """Return at most the last `most` bytes: whole lines, or the end of a line that is longer."""
    if most <= 0:
        return b""
    end = text[-most:]
    if text[-most - 1 : -most] == b"\n":
        return end
    line, _, rest = end.partition(b"\n")
    if rest:
        return rest
    # One line that does not fit: without the rest of a character that is cut through.
    cut = next((index for index, byte in enumerate(line[:4]) if byte & 0xC0 != 0x80), 0)
    return end[cut:]
