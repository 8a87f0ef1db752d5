"""`make run` in a folder of its own, and what it started."""

import asyncio
import base64
import os
import signal
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import aiohttp

from deploy.local.processes.ports import LOOPBACK, free_port
from deploy.local.services import REPOSITORY
from tests.support.waiting import eventually

# In the environment of a run and of all that it starts.
MARK = "MARK_OF_THE_RUN"


def target(name: str, kubeconfig: Path) -> dict[str, str]:
    """The body that registers a target."""
    encoded = base64.b64encode(kubeconfig.read_bytes()).decode()
    return {"clusterName": name, "secretType": "kubeconfig", "kubeconfig": encoded}


async def ask(
    session: aiohttp.ClientSession, method: str, url: str, body: object = None
) -> tuple[int, dict[str, Any]]:
    """Return the status and the JSON of a reply."""
    async with session.request(method, url, json=body) as response:
        return response.status, await response.json()


class Run:
    """`python -m deploy.local`, called from a folder of its own."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self._mark = uuid.uuid4().hex
        self.rest_port, self.grpc_port = free_port(), free_port()
        self.temporary = folder / "tmp"
        self.temporary.mkdir(exist_ok=True)
        self.local = folder / ".local"
        self._output = (folder / f"output-{uuid.uuid4().hex[:4]}").open("w+")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "deploy.local"],
            cwd=folder,
            env={
                **os.environ,
                "PYTHONPATH": str(REPOSITORY),
                "TMPDIR": str(self.temporary),
                MARK: self._mark,
                "KRKN_REST_PORT": str(self.rest_port),
                "KRKN_GRPC_PORT": str(self.grpc_port),
                **environment,
            },
            stdout=self._output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    @property
    def output(self) -> str:
        return Path(self._output.name).read_text()

    def url(self, path: str) -> str:
        return f"http://{LOOPBACK}:{self.rest_port}{path}"

    async def says(self, text: str, *, times: int = 1) -> None:
        async def output() -> str:
            assert self._process.poll() is None, self.output
            return self.output

        await eventually(output, lambda seen: seen.count(text) >= times, seconds=200)

    def send(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    async def ended(self) -> int:
        return await asyncio.to_thread(self._process.wait, 60)

    async def processes(self) -> dict[str, int]:
        """Pid by command line of all that this run started: its own environment marks them."""
        return await asyncio.to_thread(self._processes)

    def _processes(self) -> dict[str, int]:
        found = {}
        mark = f"{MARK}={self._mark}".encode()
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and int(entry.name) != self._process.pid:
                try:
                    environment = (entry / "environ").read_bytes()
                    line = (
                        (entry / "cmdline").read_text(errors="replace").replace("\0", " ").strip()
                    )
                except OSError:
                    continue
                if mark in environment.split(b"\0") and line:
                    found[line] = int(entry.name)
        return found

    def close(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        self._output.close()
