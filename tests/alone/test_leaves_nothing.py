"""However `alone` ends, the machine is as it was: processes, cgroups, mounts, links, settings.

Its command does here what a node does: a process in its cgroup that nobody waits for, a mount, a
setting of its network. `make e2e` runs this before it goes inside itself.
"""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from deploy.local.node import cgroups, namespaces
from deploy.local.services import REPOSITORY
from tests.support.waiting import eventually

MARK = "MARK_OF_THE_RUN"
COMMAND = """
for tree in /sys/fs/cgroup /sys/fs/cgroup/*; do
    [ -d "$tree/$KRKN_NODE_CGROUP" ] || continue
    mkdir -p "$tree/$KRKN_NODE_CGROUP/pods/pod" || exit 1
    echo $$ >"$tree/$KRKN_NODE_CGROUP/cgroup.procs" || exit 1
done
mkdir /run/mounted && mount -t tmpfs tmpfs /run/mounted || exit 1
echo 1 >/proc/sys/net/ipv4/ip_forward || exit 1
[ "$(grep -c : /proc/net/dev)" = 1 ] || exit 1
setsid sleep 1000 &
echo "$KRKN_NODE_CGROUP" >"$1/inside"
[ "$2" = ends ] && exit 7
while :; do sleep 0.1; done
"""


@dataclass(frozen=True)
class Machine:
    """What a node could leave."""

    mounts: str
    links: str
    forwarding: str
    settings: tuple[str, ...]

    @classmethod
    def now(cls) -> "Machine":
        """Look at it."""
        kernel = Path("/proc/sys")
        return cls(
            Path("/proc/self/mounts").read_text(),
            "\n".join(sorted(path.name for path in Path("/sys/class/net").iterdir())),
            (kernel / "net/ipv4/ip_forward").read_text(),
            tuple((kernel / name).read_text() for name in namespaces.KERNEL),
        )


@dataclass(frozen=True)
class Run:
    """One `alone`."""

    process: subprocess.Popen[bytes]
    folder: Path
    mark: str
    before: Machine

    async def is_inside(self) -> str:
        """Wait until the command has done what it does; return the name of its cgroup."""

        async def name() -> str:
            assert self.process.poll() in (None, 7)
            file = self.folder / "inside"
            return file.read_text().strip() if file.exists() else ""

        # Another node of this machine may have to end first.
        return await eventually(name, seconds=300)

    async def ended(self) -> int:
        """Return the exit code."""
        return await asyncio.to_thread(self.process.wait, 60)

    async def processes(self) -> list[str]:
        """Return the processes that it started: its own environment marks them."""
        return await asyncio.to_thread(self._processes)

    def _processes(self) -> list[str]:
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if f"{MARK}={self.mark}".encode() in (process / "environ").read_bytes():
                    found.append(process.name)
        return found


@pytest.fixture
def run(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Run]:
    """`alone`, with a command that ends or goes on."""
    mark = uuid.uuid4().hex
    before = Machine.now()
    inside = [sys.executable, "-m", "deploy.local.node.alone"]
    command = [*inside, "sh", "-c", COMMAND, "sh", str(tmp_path), request.param]
    environment = {**os.environ, MARK: mark}
    made = [path for path in map(Path, namespaces.WRITTEN_TO) if not path.exists()]
    with subprocess.Popen(command, cwd=REPOSITORY, env=environment) as process:
        yield Run(process, tmp_path, mark, before)
        process.kill()
    for folder in made:  # those that a killed one leaves, empty
        with contextlib.suppress(FileNotFoundError):
            folder.rmdir()


def cgroups_named(name: str) -> list[Path]:
    return [tree / name for tree in cgroups.hierarchies() if (tree / name).exists()]


@pytest.mark.timeout(400)
@pytest.mark.parametrize("run", ["ends"], indirect=True)
async def test_its_command_ends(run: Run) -> None:
    name = await run.is_inside()
    assert await run.ended() == 7
    assert await run.processes() == []
    assert cgroups_named(name) == []
    assert Machine.now() == run.before


@pytest.mark.timeout(400)
@pytest.mark.parametrize("run", ["goes on"], indirect=True)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
async def test_it_is_interrupted(run: Run, number: signal.Signals) -> None:
    name = await run.is_inside()
    assert cgroups_named(name)
    assert Machine.now() == run.before
    run.process.send_signal(number)
    assert await run.ended() == 128 + signal.SIGINT
    assert await run.processes() == []
    assert cgroups_named(name) == []
    assert Machine.now() == run.before


@pytest.mark.timeout(400)
@pytest.mark.parametrize("run", ["goes on"], indirect=True)
async def test_it_is_killed(run: Run) -> None:
    name = await run.is_inside()
    assert await run.processes()
    run.process.kill()
    await eventually(run.processes, lambda found: not found)
    assert Machine.now() == run.before

    # Nobody is left to remove its cgroup; the next one does.
    again = [sys.executable, "-m", "deploy.local.node.alone", "true"]
    assert await asyncio.to_thread(subprocess.call, again, cwd=REPOSITORY) == 0
    assert cgroups_named(name) == []
