"""Child processes that never outlive their starter, each with a log file of its own.

By hand: libraries for this block the event loop, and none pauses a process.
"""

import asyncio
import os
import re
import signal
import subprocess
import sys
import weakref
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from deploy.local.processes import dies_with_parent

POLL_SECONDS = 0.02
STOP_SECONDS = 10.0

_GOROUTINE = re.compile(r"goroutine \d+.* \[.+\]:$")
# What a restarted program logs after a stack: JSON, a line of klog, or its next panic.
_LOGGED = re.compile(r"\{|[IWEF]\d{4} |panic: |fatal error: ")

_started: weakref.WeakSet["Child"] = weakref.WeakSet()


def kill_all() -> None:
    """Kill every child of this process at once, without a graceful stop."""
    for child in _started:
        child.kill()


def without_stacks(lines: Iterable[str]) -> list[str]:
    """Return the lines of a log without the stacks of goroutines, which Go prints when it dies."""
    kept: list[str] = []
    is_stack = False
    for line in lines:
        if _GOROUTINE.match(line):
            is_stack = True
        elif is_stack and _LOGGED.match(line):
            is_stack = False
        if not is_stack:
            kept.append(line)
    while kept and not kept[-1].strip():
        kept.pop()
    return kept


@dataclass(frozen=True)
class Program:
    """A program to run: its command line, environment and working folder."""

    name: str
    argv: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    """Added to the starter's own environment."""
    folder: Path | None = None


class Child:
    """One program as a child process; it can be restarted after it has ended.

    The child leads its own session, so that Ctrl-C in a terminal reaches only the starter, which
    then stops its children in the right order. If the starter dies, the kernel kills the child.
    Standard output and error are appended to `log`.
    """

    def __init__(self, program: Program, log: Path) -> None:
        self.program = program
        self.log = log
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def name(self) -> str:
        """The program's name, for people."""
        return self.program.name

    @property
    def pid(self) -> int:
        """The process id of the running (or last) process."""
        if self._process is None:
            raise RuntimeError(f"{self.name} was never started")
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """The exit code; None while it runs, negative for the signal that ended it."""
        return None if self._process is None else self._process.poll()

    @property
    def is_running(self) -> bool:
        """Whether the process exists (a paused one does)."""
        return self._process is not None and self._process.poll() is None

    def start(self, program: Program | None = None) -> None:
        """Start it, with another command line if one is given. It must not be running.

        Call it from a thread that lives as long as the starter: the kernel ties the child to it.
        """
        if self.is_running:
            raise RuntimeError(f"{self.name} is running already")
        self.program = program or self.program
        _started.add(self)
        shim = [sys.executable, "-IS", dies_with_parent.__file__, str(os.getpid())]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603  # command lines of this package
                [*shim, *self.program.argv],
                env={**os.environ, **self.program.environment},
                cwd=self.program.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    async def wait(self) -> int:
        """Return the exit code once the process that runs now, or ran last, has ended."""
        # Not the next process: the supervisor may start that before this polls again.
        process = self._process
        if process is None:
            raise RuntimeError(f"{self.name} was never started")
        while True:
            if (code := process.poll()) is not None:
                return code
            await asyncio.sleep(POLL_SECONDS)

    async def stop(self, seconds: float = STOP_SECONDS) -> None:
        """Ask it to end (SIGTERM), and kill it after `seconds`; it is gone when this returns."""
        if not self.is_running:
            return
        self._signal(signal.SIGTERM)
        self.resume()  # a paused process could not act on the signal
        try:
            await asyncio.wait_for(self.wait(), seconds)
        except TimeoutError:
            self.kill()
            await self.wait()

    def kill(self) -> None:
        """Kill the process and its group at once (SIGKILL); `wait` for its end."""
        self._signal(signal.SIGKILL)

    def pause(self) -> None:
        """Freeze it (SIGSTOP): its connections stay open and nothing answers."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Resume a paused process (SIGCONT)."""
        self._signal(signal.SIGCONT)

    def log_tail(self, lines: int = 15) -> str:
        """Return the last lines of its log, without Go's stacks, for an error message."""
        try:
            text = self.log.read_text(errors="replace")
        except FileNotFoundError:
            return ""
        return "\n".join(without_stacks(text.splitlines())[-lines:])

    def _signal(self, number: signal.Signals) -> None:
        # The child leads its group since before exec, and is_running calls poll(): the id of an
        # ended child is not reused before it was waited for.
        if self.is_running:
            os.killpg(self.pid, number)
