"""kubectl as an administrator runs it, against a test's API server."""

import asyncio
import os
import shutil
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from deploy.local.node.build import node_binaries
from deploy.local.progress import Progress
from deploy.local.services import REPOSITORY
from tests.support.programs import output_of

_SECONDS = 300.0
_DEPLOY = REPOSITORY / "deploy"


@cache
def binary() -> Path:
    """Return the machine's kubectl; where it has none, the one for real nodes, built once."""
    found = shutil.which("kubectl")
    return Path(found) if found else node_binaries(Progress())["kubectl"]


def a_clone(folder: Path) -> Path:
    """Copy the manifests into a new folder, for commands that an administrator runs in a clone."""
    ignored = shutil.ignore_patterns("local")
    shutil.copytree(_DEPLOY, folder / "deploy", ignore=ignored)
    return folder


@dataclass(frozen=True)
class Kubectl:
    """Runs kubectl as the user of a kubeconfig."""

    kubeconfig: Path
    folder: Path
    """Where it runs: paths in commands are relative to it."""

    async def __call__(self, *arguments: str) -> str:
        """Run one command and return what it prints; it must succeed."""
        return await self._run(str(binary()), *arguments)

    async def shell(self, script: str) -> str:
        """Run a script in which `kubectl` is ours; each of its commands must succeed."""
        return await self._run("/bin/sh", "-euc", script)

    async def _run(self, *line: str) -> str:
        environment = {
            **os.environ,
            "KUBECONFIG": str(self.kubeconfig),
            "PATH": f"{binary().parent}:{os.environ['PATH']}",
        }
        process = await asyncio.create_subprocess_exec(
            *line,
            cwd=self.folder,
            env=environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        said, complained = await output_of(process, seconds=_SECONDS)
        assert process.returncode == 0, f"{line}: {complained.decode()}"
        return said.decode()
