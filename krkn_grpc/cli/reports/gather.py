"""Reads what a report is made of: the run, its jobs, and the ends of their logs."""

import asyncio
import contextlib
from collections.abc import Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from krkn_grpc.cli import lookup, target_names
from krkn_grpc.cli.client import Client
from krkn_grpc.cli.reports.log_ends import MOST_LAST_WORDS, MOST_READ_BYTES, log_end
from krkn_grpc.cli.reports.model import LogEnd, Report, Status, report_of
from krkn_grpc.cli.reports.texts import clean
from krkn_grpc.client import loop_thread
from krkn_grpc.client.connection import Connection
from krkn_grpc.client.errors import Denied, KrknError
from krkn_grpc.client.retries import Resumption
from krkn_grpc.v1.runs_pb2 import GetRunRequest
from krkn_grpc.v1.scenario_runs_pb2 import Job, StreamLogsRequest

# The service and the proxies before it limit the streams of one connection.
_AT_ONCE = 32
_SECONDS = 60.0


class Logs(StrEnum):
    """Of which targets the ends of logs are in a report."""

    NONE = "none"
    FAILED = "failed"
    """Those on which the scenario was started and did not succeed."""
    ALL = "all"


@dataclass(frozen=True)
class Wanted:
    """What a report is to have of logs: the last `lines` of each."""

    logs: Logs = Logs.FAILED
    lines: int = 50


def report(client: Client, run_id: str, wanted: Wanted) -> Report:
    """Return the report of a run as it is now; raises KrknError."""
    run = client.call(client.runs.GetRun, GetRunRequest(run_id=run_id))
    jobs = lookup.jobs_of_run(client, run)
    _name(client, [job for job in jobs if not job.cluster_name])
    logs = _log_ends(client, [job for job in jobs if _has_wanted_log(job, wanted.logs)], wanted)
    return report_of(run, jobs, logs, made_at=datetime.now(UTC), server=client.server)


def _name(client: Client, nameless: Iterable[Job]) -> None:
    """Give targets without a job the names that they have now, if the caller may see them."""
    if left := list(nameless):
        with contextlib.suppress(Denied):
            names = {each.uuid: each.cluster_name for each in target_names.all_targets(client)}
            for job in left:
                job.cluster_name = names.get(job.target_uuid, "")


def _has_wanted_log(job: Job, logs: Logs) -> bool:
    if not job.HasField("start_time") or logs is Logs.NONE:
        return False
    return logs is Logs.ALL or job.status in (Status.FAILED, Status.STOPPED)


def _log_ends(client: Client, jobs: Iterable[Job], wanted: Wanted) -> Mapping[str, LogEnd]:
    return loop_thread.shared().result(
        _all_ends(client.connection, [job.job_id for job in jobs], wanted.lines)
    )


async def _all_ends(
    connection: Connection, job_ids: Sequence[str], lines: int
) -> dict[str, LogEnd]:
    """Return the last lines of the logs of jobs, by their ids; errors are told in them."""
    ends: dict[str, LogEnd] = {}
    places = asyncio.Semaphore(_AT_ONCE)

    async def read(job_id: str) -> bool:
        """Return whether the caller may read logs."""
        async with places:
            try:
                ends[job_id] = await _end_of(connection, job_id, lines)
            except KrknError as error:
                ends[job_id] = LogEnd((), problem=clean(str(error)))
                return not isinstance(error, Denied)
            return True

    # The first one alone: the service slows down a caller that it denies hundreds of logs.
    for job_id in job_ids[:1]:
        if not await read(job_id):
            return dict.fromkeys(job_ids, ends[job_id])
    await asyncio.gather(*map(read, job_ids[1:]))
    return ends


async def _end_of(connection: Connection, job_id: str, lines: int) -> LogEnd:
    """Return the last lines of a log; raises KrknError."""
    # One more, to know whether there are more.
    request = StreamLogsRequest(job_id=job_id, tail_lines=lines + MOST_LAST_WORDS + 1)
    resumption = Resumption(connection.way.patience)
    try:
        async with asyncio.timeout(_SECONDS):
            while True:
                try:
                    content, source = await _read(connection, request)
                    return log_end(content, lines, source)
                except KrknError as error:
                    await resumption.wait(error)
    except TimeoutError:
        return LogEnd((), problem=f"the log was not read within {_SECONDS:.0f} s")


async def _read(connection: Connection, request: StreamLogsRequest) -> tuple[bytes, str]:
    """Return the end of what a stream gives, and what it says of its source.

    It is one byte more than is looked at if there is more.
    """
    kept, most = bytearray(), MOST_READ_BYTES + 1
    sources = [""]
    stream = connection.stream(connection.runs.StreamLogs, request, sources.append)
    async with aclosing(stream) as chunks:
        async for chunk in chunks:
            kept += chunk.data
            if len(kept) > 2 * most:
                del kept[:-most]
    return bytes(kept[-most:]), sources[-1]
