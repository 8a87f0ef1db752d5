"""Reads the end of a log that has ended, in bounded time and memory."""

import asyncio
from collections import deque
from dataclasses import dataclass

from krkn_grpc.kube.errors import KubeError, NotFound
from krkn_grpc.kube.logs import LogOptions, Logs
from krkn_grpc.told import told

# What most logs have in a line, at least: so many lines are asked for that they fill the bound.
_LINE_BYTES = 40

GONE = "the pod is gone"


@dataclass(frozen=True)
class LogEnd:
    """The last bytes of a log; nothing where it could not be read to its end.

    `total` is the size of all that the node has of the log, None where that is not known.
    """

    content: bytes = b""
    total: int | None = None
    trouble: str = ""
    """Why the end was not read, for the log; empty where it was."""

    @property
    def is_whole(self) -> bool:
        """Whether nothing is missing before `content`."""
        return self.total == len(self.content) and not self.trouble


async def read_end(
    logs: Logs,
    pod: str,
    container: str,
    *,
    at_most: int,
    seconds: float,
    follow: bool = False,
    timestamps: bool = False,
) -> LogEnd:
    """Return the last `at_most` bytes of the log, after at most so many seconds; never raises.

    With `follow` of a log that has not ended: once it has. With `timestamps` each line has its time
    before it, which counts as a part of it.

    One request. `limitBytes` would keep the first bytes of what `tailLines` selects, so the node
    is asked for lines alone, and what is too much of them is dropped while it comes. The node
    counts a line in pieces of 16 KiB, so it never sends more than about 400 times `at_most`.
    """
    lines = max(at_most // _LINE_BYTES, 1)
    kept = _Kept(at_most)
    options = LogOptions(follow=follow, tail_lines=lines, timestamps=timestamps)
    try:
        async with (
            asyncio.timeout(seconds),
            logs.open(pod, container, options) as chunks,
        ):
            async for chunk in chunks:
                kept.add(chunk)
    except TimeoutError:
        return LogEnd(trouble=f"the log was not read to its end within {seconds:g} seconds")
    except NotFound:
        return LogEnd(trouble=GONE)
    except KubeError as error:
        return LogEnd(trouble=told(error))
    # As many lines as were asked for: there may be more before them.
    return LogEnd(kept.content(), kept.total if kept.lines < lines else None)


class _Kept:
    """The last bytes of what was added."""

    def __init__(self, at_most: int) -> None:
        self.total = 0
        self.lines = 0
        self._at_most = at_most
        self._chunks: deque[bytes] = deque()
        self._size = 0

    def add(self, chunk: bytes) -> None:
        self.total += len(chunk)
        self.lines += chunk.count(b"\n")
        self._chunks.append(chunk)
        self._size += len(chunk)
        while self._size - len(self._chunks[0]) >= self._at_most:
            self._size -= len(self._chunks.popleft())

    def content(self) -> bytes:
        return b"".join(self._chunks)[-self._at_most :]
