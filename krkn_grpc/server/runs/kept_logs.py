"""Reads the kept log of a job: the end of its scenario's log, for the time after its pod."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass

import structlog

from krkn_grpc.kube.client import ResourceClient
from krkn_grpc.kube.errors import NotFound
from krkn_grpc.kube.logs import LogOptions
from krkn_grpc.resources import bounds, kept_log
from krkn_grpc.resources.chaos_job import LOG_NOT_KEPT, ChaosJob
from krkn_grpc.resources.kept_log import KeptLog
from krkn_grpc.resources.meta import find_condition
from krkn_grpc.resources.text import on_one_line
from krkn_grpc.server.errors import LogGone
from krkn_grpc.server.runs import kept_text

_GONE = "the log is gone with the job's pod"
_UNREADABLE = f"{_GONE}, and what was kept of it cannot be read"
# A job whose log was kept does not say so: a write for each that goes would double the cost. Which
# of the two it is, is not stored anywhere.
_NO_MORE = f"{_GONE}: its kept copy was deleted for newer ones, or logs are not kept here"
_LONGEST_REASON = 200

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class OpenedKeptLog:
    """A kept log and which part of it is wanted."""

    found: KeptLog
    skip_lines: int
    timestamps: bool

    @property
    def truncated(self) -> bool:
        """Whether the scenario's log was longer."""
        return self.found.spec.truncated

    def pieces(self) -> Iterator[bytes]:
        """Yield the text in pieces that end anywhere, some of them empty; raises NotAText."""
        content = self.found.spec.content
        return kept_text.read(content, skip_lines=self.skip_lines, timestamps=self.timestamps)


@dataclass(frozen=True)
class KeptLogs:
    """Finds kept logs, each asked of the API server: none is cached."""

    client: ResourceClient[KeptLog]

    async def open(self, job: ChaosJob, options: LogOptions) -> OpenedKeptLog:
        """Return the log that was kept of the job's pod; raises LogGone when there is none."""
        try:
            found = await self.client.get(job.metadata.name)
        except NotFound:
            raise LogGone(why_gone(job)) from None
        if not kept_log.is_of(found.metadata, job) or found.spec.pod_uid != job.status.pod_uid:
            raise LogGone(why_gone(job))
        count = kept_text.LineCount()
        try:
            # Once in vain: a text that turns out to be none in its middle would look like a cut.
            for piece in kept_text.unpacked(found.spec.content):
                count.add(piece)
                await asyncio.sleep(0)
        except kept_text.NotAText as error:
            _log.warning("a kept log cannot be read", job=job.metadata.name, error=str(error))
            raise LogGone(_UNREADABLE) from None
        wanted = count.lines if options.tail_lines is None else options.tail_lines
        return OpenedKeptLog(found, max(count.lines - wanted, 0), options.timestamps)


def why_gone(job: ChaosJob) -> str:
    """Return why a job whose pod is gone has no log, as a sentence."""
    if not job.status.is_final:
        return _GONE
    condition = find_condition(job.status.conditions, LOG_NOT_KEPT)
    if condition is None:
        return _NO_MORE
    why = bounds.cut(on_one_line(condition.message or condition.reason), _LONGEST_REASON)
    return f"{_GONE}, and was not kept: {why.removesuffix('.')}"
