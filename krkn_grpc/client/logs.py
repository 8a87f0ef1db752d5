"""Logs as lines: one job's, or those of many jobs at once; a stream that is cut is resumed.

Each line comes once: a new stream is read from its beginning, and the node's times tell which lines
were yielded before.
"""

import asyncio
import codecs
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import aclosing, suppress
from dataclasses import dataclass

from krkn_grpc.client.connection import Connection
from krkn_grpc.client.errors import KrknError, NotFound
from krkn_grpc.client.models import LogLine
from krkn_grpc.client.reading import time_of
from krkn_grpc.client.retries import Resumption
from krkn_grpc.client.tokens import BadToken
from krkn_grpc.v1.scenario_runs_pb2 import StreamLogsRequest

# The service and the proxies before it limit the streams of one connection.
_OPEN_AT_ONCE = 32
_LINES_AHEAD = 1000


@dataclass(frozen=True)
class Source:
    """A job whose log is read, and what its lines are told with."""

    job_id: str
    target_uuid: str = ""
    cluster_name: str = ""


@dataclass(frozen=True)
class LogOptions:
    """How a log is read."""

    follow: bool = False
    tail_lines: int | None = None


class Position:
    """Which lines of a log were yielded: all up to the last one, which its time tells. Pure.

    The log may not be in the order of its times: two streams of a container have clocks that are
    read before a line is written, and a node's clock is set back at times. So a line is left out
    only in a stream that is read again, and only before the last line that was yielded.
    """

    def __init__(self) -> None:
        self._last: str | None = None
        self._count = 0
        self._newest = ""
        self._before = ""
        self._again = 0
        self._is_catching_up = False

    def stream_begins(self) -> None:
        """Expect the log from its beginning."""
        self._before, self._again = "", 0
        self._is_catching_up = self._last is not None

    def is_new(self, time: str) -> bool:
        """Whether a line of this time (RFC 3339) was not yielded before.

        A line without one, such as a message of the node's own, is of the moment of that before.
        """
        self._before = at = _sortable(time) or self._before
        if self._is_catching_up:
            if at <= self._newest and not self._is_past_the_last(at):
                return False
            # Past the last line, or that one is gone: the log was rotated.
            self._is_catching_up = False
        self._count = self._count + 1 if at == self._last else 1
        self._last, self._newest = at, max(at, self._newest)
        return True

    def _is_past_the_last(self, at: str) -> bool:
        """Whether all lines of the last one's time, as many as were yielded, came before."""
        if self._again == self._count:
            return True
        self._again += at == self._last
        return False


async def lines(
    connection: Connection, source: Source, options: LogOptions
) -> AsyncGenerator[LogLine, None]:
    """Yield the lines of a job's log; raises KrknError, NotFound when the log is gone."""
    position, resumption = Position(), Resumption(connection.way.patience)
    tail_lines, kept = options.tail_lines, ""

    def tell_kept(said: str) -> None:
        nonlocal kept
        kept = said

    while True:
        request = StreamLogsRequest(
            job_id=source.job_id, follow=options.follow, tail_lines=tail_lines, timestamps=True
        )
        position.stream_begins()
        try:
            async with aclosing(_texts(connection, request, tell_kept)) as texts:
                async for text in texts:
                    time, _, rest = text.partition(" ")
                    resumption.progressed()
                    if position.is_new(time):
                        # From here on the log is read whole, or lines would be missed.
                        tail_lines = None
                        yield _line(source, rest, time, kept)
            return
        except KrknError as error:
            await resumption.wait(error)


async def merged(
    connection: Connection, sources: Iterable[Source], options: LogOptions
) -> AsyncGenerator[LogLine, None]:
    """Yield the lines of many logs as they come; each log's own lines are in order.

    At most 32 logs are open at once, the others follow. A job without a log has no lines. A log
    that fails ends only itself at first: its error is raised after all others have ended.
    """
    queue: asyncio.Queue[LogLine | None] = asyncio.Queue(_LINES_AHEAD)
    places = asyncio.Semaphore(_OPEN_AT_ONCE)
    failed: list[Exception] = []

    async def follow(source: Source) -> None:
        async with places, aclosing(lines(connection, source, options)) as found:
            try:
                async for line in found:
                    await queue.put(line)
            except NotFound:
                return
            except (KrknError, BadToken, OSError) as error:
                failed.append(error)

    async def follow_all() -> None:
        try:
            async with asyncio.TaskGroup() as group:
                for source in sources:
                    group.create_task(follow(source))
        finally:
            await queue.put(None)

    task = asyncio.create_task(follow_all())
    try:
        while (line := await queue.get()) is not None:
            yield line
        await task
    finally:
        task.cancel()
        with suppress(asyncio.QueueEmpty):
            while True:
                queue.get_nowait()
        await asyncio.gather(task, return_exceptions=True)
    if failed:
        raise failed[0]


async def _texts(
    connection: Connection, request: StreamLogsRequest, log_source: Callable[[str], None]
) -> AsyncGenerator[str, None]:
    """Yield whole lines; chunks may end anywhere, also within a character."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    rest = ""
    stream = connection.stream(connection.runs.StreamLogs, request, log_source)
    async with aclosing(stream) as chunks:
        async for chunk in chunks:
            *whole, rest = (rest + decoder.decode(chunk.data)).split("\n")
            for text in whole:
                yield text
    rest += decoder.decode(b"", final=True)
    if rest:
        yield rest


def _line(source: Source, text: str, time: str, kept: str) -> LogLine:
    return LogLine(
        job_id=source.job_id,
        target_uuid=source.target_uuid,
        cluster_name=source.cluster_name,
        text=text.removesuffix("\r"),
        time=time_of(time),
        source=kept,
    )


def _sortable(time: str) -> str:
    """Return the time so that text sorts as time does: always with nine digits of a second.

    Returns "" for a text that is not a time.
    """
    if time_of(time) is None:
        return ""
    seconds, _, fraction = time.removesuffix("Z").partition(".")
    return f"{seconds}.{fraction:0<9}"
