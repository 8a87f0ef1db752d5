"""What a terminal shows of a run: how far it is, failures as they come, and a line at its end."""

import shlex
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Column

from krkn_grpc.cli import columns, display, ids, table, times
from krkn_grpc.v1.scenario_runs_pb2 import Job

SUCCEEDED = "Succeeded"
# This command's status of a job that was deleted before its outcome was known.
DELETED = "Deleted"
# This command's status of a target that got no job.
REFUSED = "Refused"
_ENDED = {SUCCEEDED, "Failed", "Stopped", DELETED}
_ORDER = (SUCCEEDED, "Failed", "Stopped", DELETED, "Unknown", REFUSED)


def has_ended(job: Job) -> bool:
    """Whether the job's status is final."""
    return job.status in _ENDED


class RunView:
    """Lines on standard error while a run goes on, and on a terminal a line that moves."""

    def __init__(self, run_id: str, names: Mapping[str, str], *, is_verbose: bool = False) -> None:
        """Show jobs by the caller's own `names` of targets, by uuid; with `is_verbose` all ends."""
        self._console = Console(stderr=True, highlight=False, soft_wrap=True)
        self._run_id = run_id
        self._names = names
        self._is_verbose = is_verbose
        self._progress = Progress(
            TextColumn("{task.description}", table_column=Column(no_wrap=True)),
            BarColumn(bar_width=None, table_column=Column(ratio=1)),
            TimeElapsedColumn(),
            console=self._console,
            disable=not self._console.is_terminal,
            transient=True,
            expand=True,
        )
        self._task = self._progress.add_task("")

    def __enter__(self) -> Self:
        """Show the line that moves."""
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Remove the line that moves."""
        self._progress.stop()

    def show(self, jobs: Iterable[Job]) -> None:
        """Show how far the run is."""
        counts = Counter(map(_stage, jobs))
        total = counts.total()
        running = sum(counts[each] for each in ("running", "waiting"))
        self._progress.update(
            self._task, total=total, completed=total - running, description=stages(counts)
        )

    def ended(self, job: Job) -> None:
        """Print the end of a job, if it did not succeed or all are wanted."""
        if job.status == SUCCEEDED and not self._is_verbose:
            return
        name = self._names.get(job.target_uuid) or columns.target_of(job)
        width = display.terminal_width() if self._console.is_terminal else None
        line = ending(job, name, run_name(self._run_id, is_error=True), width)
        self._console.print(display.cell(line))


def run_name(run_id: str, *, is_error: bool = False) -> str:
    """Return a run's name for a terminal, its whole id for a pipe: it may be looked for later."""
    stream = sys.stderr if is_error else sys.stdout
    return ids.end(run_id) if stream.isatty() else run_id


def stages(counts: Mapping[str, int]) -> str:
    """Return the counts of a run's jobs as `12 ok  1 failed  20 running  8 waiting`."""
    order = ("ok", "failed", "stopped", "running", "waiting")
    return "  ".join(f"{counts[each]} {each}" for each in order if counts.get(each))


def ending(job: Job, target: str, run: str, width: int | None) -> str:
    """Return how a job ended as one line, with what to do next if there is room for it."""
    code = str(job.exit_code) if job.HasField("exit_code") else ""
    reason = "" if job.status == SUCCEEDED else " ".join(filter(None, (job.reason, code)))
    line = "  ".join(filter(None, (target, job.status, reason)))
    has_log = job.HasField("start_time") and job.status in ("Failed", "Stopped")
    more = f"krkn-grpc logs {shlex.quote(f'{run}/{target}')}" if has_log else job.message
    if job.status == SUCCEEDED or not more:
        return line if width is None else table.cut(line, width)
    whole = f"{line}   {more}"
    if width is None or len(whole) <= width:
        return whole
    # Part of a command is of no use.
    return table.cut(line if has_log else whole, width)


def summary(jobs: Iterable[Job], run: str) -> str:
    """Return what became of a run: `41 jobs: 40 Succeeded, 1 Failed in 2m31s (run 7f3a90)`."""
    ended = list(jobs)
    counts = Counter(job.status for job in ended)
    parts = [
        f"{counts[each]} {'refused' if each == REFUSED else each}"
        for each in (*_ORDER, *(each for each in counts if each not in _ORDER))
        if counts[each]
    ]
    starts = sorted(job.start_time for job in ended if job.start_time)
    ends = sorted(job.completion_time for job in ended if job.completion_time)
    took = (
        f" in {times.duration(starts[0], ends[-1], datetime.now(UTC))}" if starts and ends else ""
    )
    jobs_word = "job" if len(ended) == 1 else "jobs"
    name = f" (run {run})" if run else ""
    return f"{len(ended)} {jobs_word}: {', '.join(parts)}{took}{name}"


def _stage(job: Job) -> str:
    match job.status:
        case "Succeeded":
            return "ok"
        case "Stopped":
            return "stopped"
        case "Running" | "Stopping":
            return "running"
        case "Pending":
            return "waiting"
        case _:
            return "failed"
