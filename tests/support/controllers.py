"""Controllers alone, as real processes: as many of a namespace as a test wants."""

import asyncio
import contextlib
import json
import sys
import uuid
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

from deploy.local.cluster.api import Cluster
from deploy.local.processes.children import Child, Program
from deploy.local.services import ON_ONES_OWN_MACHINE, REPOSITORY
from tests.support.waiting import SECONDS, eventually

ACCOUNT = "krkn-grpc-controller"


class Controller:
    """One controller; it can be killed, frozen and started again."""

    def __init__(self, kubeconfig: Path, namespace: str, environment: dict[str, str]) -> None:
        settings = {
            **ON_ONES_OWN_MACHINE,
            "KRKN_KUBECONFIG": str(kubeconfig),
            "KRKN_NAMESPACE": namespace,
            "KRKN_CONTROLLER_METRICS_PORT": "0",
            **environment,
        }
        program = Program("controller", [sys.executable, "-m", "controller"], settings, REPOSITORY)
        self.child = Child(program, kubeconfig.with_suffix(".log"))
        self._offset = 0

    async def start(self) -> None:
        """Start it and wait until its caches are full."""
        self.start_soon()
        await self.logged("running")

    def start_soon(self) -> None:
        """Start it and do not wait."""
        log = self.child.log
        self._offset = log.stat().st_size if log.exists() else 0
        self.child.start()

    async def logged(self, event: str, *, seconds: float = SECONDS) -> dict[str, Any]:
        """Wait until it has logged such a line since its start, and return the first."""

        async def look() -> list[dict[str, Any]]:
            if not self.child.is_running and event not in str(self.events()):
                raise AssertionError(f"the controller ended:\n{self.child.log_tail()}")
            return [line for line in self.events() if line.get("event") == event]

        return (await eventually(look, seconds=seconds))[0]

    def events(self) -> list[dict[str, Any]]:
        """Return what it logged since its last start."""
        with self.child.log.open("rb") as log:
            log.seek(self._offset)
            lines = log.read().splitlines()
        return [json.loads(line) for line in lines if line.startswith(b"{") and line.endswith(b"}")]

    @property
    def is_leading(self) -> bool:
        """Whether it has the Lease, as far as it knows."""
        told = [line["event"] for line in self.events()]
        changes = [event for event in told if event in ("leading", "not leading any more")]
        return bool(changes) and changes[-1] == "leading"

    @contextlib.asynccontextmanager
    async def kept_alive(self) -> AsyncIterator[None]:
        """Start it again whenever it ends, as a kubelet does; it runs at the end."""

        async def watch() -> None:
            while True:
                await self.child.wait()
                self.start_soon()

        keeper = asyncio.create_task(watch())
        try:
            yield
        finally:
            keeper.cancel()
            await asyncio.wait([keeper])
            if not self.child.is_running:
                self.start_soon()

    async def kill(self) -> None:
        """End it at once; it is gone when this returns, or started again if it is kept alive."""
        pid = self.child.pid
        self.child.kill()

        async def is_gone() -> bool:
            return self.child.pid != pid or not self.child.is_running

        await eventually(is_gone, pause=0.01)

    async def stop(self) -> None:
        """Ask it to end, and wait."""
        await self.child.stop(10.0)


@contextlib.asynccontextmanager
async def controller(
    cluster: Cluster,
    namespace: str,
    folder: Path,
    settings: Mapping[str, object],
    *,
    url: str = "",
) -> AsyncIterator[Controller]:
    """A controller that runs until the end; `settings` by their names in Python."""
    kubeconfig = folder / f"controller-{uuid.uuid4().hex[:6]}.kubeconfig"
    await cluster.write_account_kubeconfig(kubeconfig, namespace, ACCOUNT, url=url)
    environment = {f"KRKN_{name.upper()}": str(value) for name, value in settings.items()}
    process = Controller(kubeconfig, namespace, environment)
    try:
        yield process
    finally:
        await process.stop()
