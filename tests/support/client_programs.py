"""The clients in other languages: their quickstart programs, built and ready to run."""

import asyncio
import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from deploy.local import client_tools
from deploy.local.go.module import GoModule
from deploy.local.progress import Progress
from deploy.local.services import REPOSITORY
from tests.support.programs import output_of

CLIENTS = REPOSITORY / "clients"
GO = GoModule("go-client", CLIENTS / "go", "a minute or two")


@dataclass(frozen=True)
class Finished:
    """How a program ended, and the lines that it printed."""

    code: int
    out: list[str]
    err: str


@dataclass(frozen=True)
class ClientProgram:
    """A program, and the environment that it needs besides PATH."""

    command: Sequence[str | Path]
    environment: dict[str, str] = field(default_factory=dict)

    async def run(self, *arguments: str, **environment: str) -> Finished:
        """Run it to its end."""
        return await finished(
            [*self.command, *arguments], REPOSITORY, self.environment | environment
        )


async def finished(
    command: Sequence[str | Path], folder: Path, environment: dict[str, str]
) -> Finished:
    """Run a command to its end; it sees of our environment only PATH and HOME."""
    ours = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=folder,
        env=ours | environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await output_of(process)
    assert process.returncode is not None
    return Finished(process.returncode, out.decode().splitlines(), err.decode())


def prepare() -> None:
    """Build and install what takes longer than a test may."""
    GO.binaries(["quickstart"], Progress())
    client_tools.node_modules(Progress())


def go_quickstart() -> ClientProgram:
    """The example of the client in Go."""
    return ClientProgram([GO.binaries(["quickstart"], Progress())["quickstart"]])


async def typescript_quickstart(scratch: Path) -> ClientProgram:
    """The example of the client in TypeScript, after the compiler has checked and compiled it."""
    package = scratch / "typescript"
    shutil.copytree(
        CLIENTS / "typescript", package, ignore=shutil.ignore_patterns("node_modules", "dist")
    )
    (package / "node_modules").symlink_to(client_tools.node_modules(Progress()))
    node = client_tools.node_programs(Progress()) / "node"
    compiler = package / "node_modules" / "typescript" / "bin" / "tsc"
    compiled = await finished([node, compiler, "--project", package], package, {})
    assert compiled.code == 0, compiled
    return ClientProgram([node, package / "dist" / "quickstart.js"])


async def python_quickstart(scratch: Path, document: str) -> ClientProgram:
    """The example with the REST client that a generator makes from the document at a URL."""
    packages = client_tools.python_packages(Progress())
    (scratch / "generator.yaml").write_text("post_hooks: []\n")  # they only format
    generate: list[str | Path] = [
        sys.executable,
        "-m",
        "openapi_python_client",
        "generate",
        "--meta",
        "none",
    ]
    options: list[str | Path] = [
        "--config",
        scratch / "generator.yaml",
        "--output-path",
        scratch / "krkn_rest",
    ]
    made = await finished(
        [*generate, *options, "--url", document],
        scratch,
        {"PYTHONPATH": str(packages)},
    )
    assert made.code == 0, made
    # Of the two watches only the lines that they stream are left out.
    warnings = [line for line in (*made.out, *made.err.splitlines()) if "WARNING" in line]
    assert len(warnings) == 2, made
    assert all(":watch within" in line for line in warnings), made
    program = REPOSITORY / "examples" / "rest_quickstart.py"
    return ClientProgram([sys.executable, program], {"PYTHONPATH": f"{scratch}:{packages}"})
