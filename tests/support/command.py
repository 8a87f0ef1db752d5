"""The command `krkn-grpc` and the example beside it, as a person or a pipeline runs them."""

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from typer.testing import CliRunner

from deploy.local.services import REPOSITORY
from krkn_grpc.cli.app import app
from tests.support.programs import inherited_environment

SECONDS = 90.0


@dataclass(frozen=True)
class Ended:
    """How the command ended, and what it printed."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The JSON on standard output."""
        assert self.code in (0, 1), self
        return json.loads(self.out)

    @property
    def line(self) -> str:
        """The only line of standard error."""
        [line] = self.err.splitlines()
        return line


@dataclass
class Started:
    """The command as a process that still runs."""

    process: asyncio.subprocess.Process
    err: list[str] = field(default_factory=list)

    async def line(self) -> str:
        """Return the next line of standard output."""
        return await _line(self.process.stdout)

    async def error_line(self) -> str:
        """Return the next line of standard error."""
        return await _line(self.process.stderr)

    async def ended(self) -> Ended:
        """Wait for its end."""
        async with asyncio.timeout(SECONDS):
            out, err = await self.process.communicate()
        assert self.process.returncode is not None
        return Ended(
            self.process.returncode, out.decode(errors="replace"), err.decode(errors="replace")
        )


async def example(server: str, *arguments: str) -> Ended:
    """Run examples/run_on_many.py to its end, against the server of this URL."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "examples.run_on_many", *arguments),
        cwd=REPOSITORY,
        env={**os.environ, "KRKN_SERVER": server.removeprefix("http://"), "COLUMNS": "200"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        return await Started(process).ended()
    finally:
        if process.returncode is None:
            process.kill()


async def _line(stream: asyncio.StreamReader | None) -> str:
    assert stream is not None
    async with asyncio.timeout(SECONDS):
        return (await stream.readline()).decode().rstrip("\n")


@dataclass(frozen=True)
class Command:
    """Runs the command against one server; what is in the environment is this and no more."""

    server: str
    environment: Mapping[str, str] = field(default_factory=dict)

    def with_environment(self, **variables: str) -> "Command":
        """Return the same with more variables."""
        return Command(self.server, {**self.environment, **variables})

    async def __call__(self, *arguments: str, given: str | None = None) -> Ended:
        """Run it to its end, with `given` on standard input."""
        # In this process, which saves the start of Python each time; for it to be found out
        # whether it works as a process, there is `start`.
        cleared = {name: None for name in os.environ if name.startswith("KRKN_")}
        result = await asyncio.to_thread(
            CliRunner().invoke,
            app,
            arguments,
            input=given,
            env={**cleared, **self._environment()},
            catch_exceptions=False,
        )
        return Ended(result.exit_code, result.stdout, result.stderr)

    def start(self, *arguments: str) -> contextlib.AbstractAsyncContextManager[Started]:
        """Start it as a process, which is gone when the block ends."""
        return self._process(sys.executable, "-m", "krkn_grpc.cli", *arguments)

    def start_shell(self, arguments: str) -> contextlib.AbstractAsyncContextManager[Started]:
        """Start Python with these arguments as a shell understands them: `... > file`."""
        return self._process("sh", "-c", f"exec {sys.executable} {arguments}")

    @contextlib.asynccontextmanager
    async def _process(self, *command: str) -> AsyncIterator[Started]:
        process = await asyncio.create_subprocess_exec(
            # As a terminal starts it: whoever runs the tests may ignore SIGINT, and so would it.
            *("env", "--default-signal=INT", *command),
            cwd=REPOSITORY,
            env={**inherited_environment(), **self._environment()},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            yield Started(process)
        finally:
            if process.returncode is None:
                process.kill()
                await process.communicate()

    def _environment(self) -> dict[str, str]:
        return {"KRKN_SERVER": self.server, **self.environment}
