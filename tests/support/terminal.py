"""The command on a terminal: what a person at 80 columns sees, and may type."""

import asyncio
import contextlib
import fcntl
import os
import pty
import re
import struct
import sys
import termios
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import Popen

from deploy.local.services import REPOSITORY
from tests.support.programs import inherited_environment

SECONDS = 60.0
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@dataclass(frozen=True)
class Seen:
    """How the command ended, and the lines that a person saw."""

    code: int
    lines: list[str]

    @property
    def text(self) -> str:
        """All lines."""
        return "\n".join(self.lines)


@dataclass
class Terminal:
    """Runs the command in a pseudo-terminal, against one server."""

    server: str
    columns: int = 80
    environment: Mapping[str, str] = field(default_factory=dict)
    stdout: Path | None = None
    """A file that standard output goes to instead."""

    async def __call__(self, *arguments: str, typed: str = "") -> Seen:
        """Run it to its end; `typed` is what the person types at once."""
        return await asyncio.to_thread(self.run, *arguments, typed=typed)

    def run(self, *arguments: str, typed: str = "") -> Seen:
        """Run it to its end."""
        with self.start(*arguments) as session:
            if typed:
                os.write(session.terminal, typed.encode())
            return session.ended()

    @contextlib.contextmanager
    def start(self, *arguments: str) -> Iterator["Session"]:
        """Start it; it is gone when the block ends."""
        ours, its_own = pty.openpty()
        size = struct.pack("HHHH", 50, self.columns, 0, 0)
        fcntl.ioctl(its_own, termios.TIOCSWINSZ, size)
        process = Popen(
            ["env", "--default-signal=INT", sys.executable, "-m", "krkn_grpc.cli", *arguments],
            cwd=REPOSITORY,
            env={
                **inherited_environment(),
                "TERM": "xterm",
                "KRKN_CONFIG": os.devnull,
                "KRKN_SERVER": self.server,
                **self.environment,
            },
            stdin=its_own,
            stdout=its_own if self.stdout is None else self.stdout.open("wb"),
            stderr=its_own,
            start_new_session=True,
        )
        os.close(its_own)
        try:
            yield Session(process, ours)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
            os.close(ours)


@dataclass
class Session:
    """The command while it runs."""

    process: "Popen[bytes]"
    terminal: int
    read: bytes = b""

    def until(self, text: str) -> None:
        """Read until the text was printed."""
        deadline = time.monotonic() + SECONDS
        while text not in self.seen():
            assert self._read_more(), self.seen()
            assert time.monotonic() < deadline, self.seen()

    def ended(self) -> Seen:
        """Read to the end."""
        while self._read_more():
            pass
        return Seen(self.process.wait(SECONDS), lines_of(self.seen()))

    def seen(self) -> str:
        """What was printed so far, without colours and movements."""
        return _ESCAPES.sub("", self.read.decode(errors="replace"))

    def _read_more(self) -> bool:
        try:
            more = os.read(self.terminal, 65_536)
        except OSError:  # So a terminal says that it is closed.
            return False
        self.read += more
        return bool(more)


def lines_of(printed: str) -> list[str]:
    """Return the lines; of one that was written over and over, what it was in the end."""
    whole = printed.replace("\r\n", "\n").split("\n")
    return [line.rpartition("\r")[2].rstrip() for line in whole if line.strip()]
