"""Cuts the log of a job into whole lines. Pure.

Blocks of lines are kept as bytes and split when they are read: a chunk of a log may have as many
lines as it has bytes.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

LONGEST_LINE = 16 * 1024
GONE = "gone"
"""The source of a log that is not there any more."""

_LARGEST_PIECE = 64 * 1024
_KEPT = {
    "kept": "the pod is gone; this is the log that was kept",
    "kept, truncated": "the pod is gone; this is the end of the log, which was kept",
}


@dataclass(frozen=True)
class Block:
    """Whole lines of one job's log, each ended by a line feed; may be empty.

    `source` says of a log that was kept what `krkn-log` says, and is GONE if there is none, `note`
    why. A block without lines says so before the others of its job.
    """

    job_id: str = ""
    cluster_name: str = ""
    data: bytes = b""
    source: str = ""
    note: str = ""

    def lines(self) -> Iterator[bytes]:
        """Yield the lines without their ends, those that are too long in several parts."""
        start = 0
        while start < len(self.data):
            end = self.data.index(b"\n", start)
            while end - start > LONGEST_LINE:
                yield self.data[start : start + LONGEST_LINE]
                start += LONGEST_LINE
            yield self.data[start:end]
            start = end + 1

    def pieces(self) -> Iterator[bytes]:
        """Yield the lines as text, each after `[clusterName] `, about 64 KiB at a time.

        Of a block that says where the log comes from: `# clusterName: ` and that. It is not a line
        of a log, all of which begin with a bracket.
        """
        name = self.cluster_name.encode()
        if not self.data and self.source:
            said = self.note or _KEPT[self.source]
            yield b"# %s: %s\n" % (name, said.encode())
        yield from _joined(b"[%s] %s\n" % (name, line) for line in self.lines())


class LineSplitter:
    """Takes chunks that end anywhere, and returns whole lines; keeps 16 KiB at most."""

    def __init__(self) -> None:
        """Start with an empty line."""
        self._rest = bytearray()

    def whole(self, chunk: bytes) -> bytes:
        """Return the lines that this chunk completes, each ended by a line feed."""
        self._rest += chunk
        end = self._rest.rfind(b"\n") + 1
        done = bytes(self._rest[:end])
        del self._rest[:end]
        parts = [done]
        while len(self._rest) > LONGEST_LINE:
            parts.append(bytes(self._rest[:LONGEST_LINE]) + b"\n")
            del self._rest[:LONGEST_LINE]
        return b"".join(parts)

    def last(self) -> bytes:
        """Return what there is of a last line that the log does not end, with a line feed."""
        return bytes(self._rest) + b"\n" if self._rest else b""


def _joined(lines: Iterable[bytes]) -> Iterator[bytes]:
    piece = bytearray()
    for line in lines:
        piece += line
        if len(piece) >= _LARGEST_PIECE:
            yield bytes(piece)
            piece.clear()
    if piece:
        yield bytes(piece)
