"""A server under attack: its memory, the honest callers beside it, and its probes."""

import asyncio
import contextlib
import json
import sys
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from deploy.local.processes.ports import LOOPBACK
from deploy.local.services import ENVOY, REPOSITORY, SERVER
from tests.integration.auth.callers import Metadata
from tests.integration.auth.conftest import Guarded
from tests.integration.auth.honest import Felt
from tests.support.running import Running

AT_REST_MIB = 140
# Envoy's is what its container may have in deploy/base.
MOST_MIB = {SERVER: 256, ENVOY: 640}
# A busy machine alone reaches a second; an attack that took the places of others held their calls
# until the deadline, 20 s.
SLOWEST_SECONDS = 5.0


@dataclass
class Besieged:
    """The server, who attacks it, and who goes on calling."""

    guarded: Guarded
    target: str
    honest: Metadata
    nobody: Metadata
    lowly: Metadata
    """May create jobs, and run on nothing."""
    another: Metadata
    """May do what the honest one may."""
    probe_port: int

    @property
    def running(self) -> Running:
        return self.guarded.running

    @property
    def address(self) -> str:
        return self.running.processes.grpc_address

    @property
    def edge(self) -> str:
        return self.running.processes.rest_url.removeprefix("http://")

    def _process(self, name: str) -> Path:
        return Path("/proc") / str(self.running.processes.child(name).pid)

    async def is_at_rest(self) -> None:
        """Let the server be as if no attack had been before; count peaks of memory from now."""
        if self.mib > AT_REST_MIB:
            await self.running.processes.restart(SERVER)
        for name in MOST_MIB:
            (self._process(name) / "clear_refs").write_text("5")

    @property
    def mib(self) -> int:
        """What memory the server takes."""
        return self._mib(SERVER, "VmRSS")

    def _mib(self, process: str, name: str) -> int:
        lines = (self._process(process) / "status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(name)) // 1024

    def has_borne_it(self, felt: Felt) -> None:
        """Hold what happened since it was at rest against what was promised."""
        peaks = {name: self._mib(name, "VmHWM") for name in MOST_MIB}
        assert all(peaks[name] < most for name, most in MOST_MIB.items()), peaks
        assert felt.calls.keys() == {"OK"}, felt.calls
        assert felt.probes.keys() == {"OK"}, felt.probes
        assert felt.p99 < SLOWEST_SECONDS, sorted(felt.seconds)[-10:]

    @contextlib.asynccontextmanager
    async def felt(self, address: str) -> AsyncIterator[Felt]:
        """Call there as honest people do; what they felt is told when the block has ended."""
        felt = Felt()
        told = {
            "address": address,
            "health_address": self.running.processes.health_address,
            "probe_url": f"http://{LOOPBACK}:{self.probe_port}",
            "metadata": self.honest,
            "targets": [self.target],
        }
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "tests.integration.auth.honest"),
            stdin=pipe,
            stdout=pipe,
            cwd=REPOSITORY,
            limit=2**24,
        )
        try:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(f"{json.dumps(told)}\n".encode())
            assert await process.stdout.readline() == b"calling\n"
            yield felt
            said, _ = await process.communicate(b"\n")
        except BaseException:
            process.kill()
            await process.wait()
            raise
        found = json.loads(said)
        felt.seconds, felt.calls = found["seconds"], Counter(found["calls"])
        felt.probes = Counter(found["probes"])
