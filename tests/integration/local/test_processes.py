"""No process outlives its starter, and no folder outlives a run, however the run ends."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.go.build import FULL, Binaries
from deploy.local.processes.children import Child, Program
from deploy.local.processes.signals import SAME_SIGNAL_SECONDS
from deploy.local.services import REPOSITORY
from tests.support.waiting import SECONDS, eventually

WAITS = "import time; print('up', flush=True); time.sleep(600)"
DEAF = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {WAITS}"


def python(code: str) -> Program:
    return Program("python", [sys.executable, "-c", code])


async def started(program: Program, folder: Path) -> Child:
    child = Child(program, folder / "child.log")
    child.start()
    await eventually(lambda: _text(child.log), lambda text: "up" in text)
    return child


async def _text(file: Path) -> str:
    return await asyncio.to_thread(file.read_text)


async def test_a_child_ends_when_asked(tmp_path: Path) -> None:
    child = await started(python(WAITS), tmp_path)
    await child.stop()
    assert child.exit_code == -signal.SIGTERM


async def test_a_child_that_will_not_end_is_killed(tmp_path: Path) -> None:
    child = await started(python(DEAF), tmp_path)
    await child.stop(0.2)
    assert child.exit_code == -signal.SIGKILL


async def test_a_paused_child_can_be_stopped(tmp_path: Path) -> None:
    child = await started(python(WAITS), tmp_path)
    child.pause()
    await child.stop()
    assert child.exit_code == -signal.SIGTERM


async def test_a_child_starts_again_and_its_log_goes_on(tmp_path: Path) -> None:
    child = await started(python("print('up')"), tmp_path)
    assert await child.wait() == 0
    child.start()
    assert await child.wait() == 0
    assert child.log_tail() == "up\nup"


async def test_who_waits_for_a_child_does_not_wait_for_the_next(tmp_path: Path) -> None:
    child = await started(python(WAITS), tmp_path)
    waiting = asyncio.create_task(child.wait())
    await asyncio.sleep(0)
    child.kill()
    # As when somebody else sees the end first and starts it again.
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # noqa: ASYNC222 - the loop must not turn here
    child.start()
    try:
        assert await asyncio.wait_for(waiting, SECONDS) == -signal.SIGKILL
    finally:
        await child.stop()


async def test_a_program_that_is_missing_ends_with_its_name(tmp_path: Path) -> None:
    child = Child(Program("missing", ["/no/such/program"]), tmp_path / "log")
    child.start()
    assert await child.wait() != 0
    assert "/no/such/program" in child.log_tail()


class Starter:
    """A process that runs a bare control plane, as a person does in a terminal."""

    def __init__(self, temporary: Path) -> None:
        self.temporary = temporary
        self._process = subprocess.Popen(
            [sys.executable, "-m", "deploy.local.cluster.control_plane", "--only-api-server"],
            cwd=REPOSITORY,
            env={**os.environ, "TMPDIR": str(temporary)},
            stdout=subprocess.PIPE,
            text=True,
        )

    async def ready(self) -> None:
        assert self._process.stdout is not None
        line = await asyncio.to_thread(self._process.stdout.readline)
        assert line.endswith("admin.kubeconfig\n")

    def send(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    async def ended(self) -> int:
        return await asyncio.to_thread(self._process.wait, SECONDS)

    async def processes(self) -> list[str]:
        """The command lines of what still runs in its folder."""
        return await asyncio.to_thread(self._processes)

    def _processes(self) -> list[str]:
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    line = (entry / "cmdline").read_text(errors="replace").replace("\0", " ")
                    folder = os.readlink(entry / "cwd")
                except OSError:
                    continue
                if folder.startswith(str(self.temporary)) and line:
                    found.append(line)
        return found

    def folders(self) -> list[Path]:
        return list(self.temporary.iterdir())

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()


@pytest.fixture
def starter(binaries: Binaries, tmp_path: Path) -> Iterator[Starter]:
    assert set(FULL) <= set(binaries)
    process = Starter(tmp_path)
    yield process
    process.close()


async def test_children_die_when_the_starter_is_killed(starter: Starter) -> None:
    await starter.ready()
    assert len(await starter.processes()) == 2

    starter.send(signal.SIGKILL)
    await starter.ended()

    await eventually(starter.processes, lambda seen: not seen)
    # The folder could not go with it: the next start finds that nobody holds it, and removes it.
    abandoned = starter.folders()
    assert abandoned
    again = Starter(starter.temporary)
    try:
        await again.ready()
        assert not any(folder.exists() for folder in abandoned)
        assert len(again.folders()) == 1
    finally:
        again.send(signal.SIGTERM)
        await again.ended()
        again.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
async def test_nothing_is_left_after_a_signal(starter: Starter, number: signal.Signals) -> None:
    await starter.ready()
    starter.send(number)
    assert await starter.ended() == 0
    assert await starter.processes() == []
    assert starter.folders() == []


async def test_a_signal_in_the_middle_of_the_start_leaves_nothing(starter: Starter) -> None:
    await eventually(starter.processes)
    starter.send(signal.SIGTERM)
    await starter.ended()
    assert await starter.processes() == []
    assert starter.folders() == []


HURRIED = f"""
import asyncio, pathlib, sys
from deploy.local.processes.children import Child, Program
from deploy.local.processes.signals import stop_requested

async def main():
    stop = stop_requested()
    child = Child(Program("deaf", [sys.executable, "-c", {DEAF!r}]), pathlib.Path(sys.argv[1]))
    child.start()
    await stop.wait()
    print("stopping", flush=True)
    await child.stop(600)

asyncio.run(main())
"""


def start_hurried(log: Path, output: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", HURRIED, str(log)]
    with output.open("w") as stdout:
        return subprocess.Popen(command, cwd=REPOSITORY, stdout=stdout)


async def test_a_second_signal_hurries(tmp_path: Path) -> None:
    log, output = tmp_path / "child.log", tmp_path / "output"
    process = start_hurried(log, output)
    await eventually(lambda: _text(log) if log.exists() else _text(output), lambda t: "up" in t)
    process.send_signal(signal.SIGINT)
    await eventually(lambda: _text(output), lambda text: "stopping" in text)
    # The same signal can come twice for one Ctrl-C: only a later one counts as another.
    process.send_signal(signal.SIGINT)
    assert process.poll() is None

    async def has_ended() -> bool:
        return process.poll() is not None

    await asyncio.sleep(2 * SAME_SIGNAL_SECONDS)
    # Once: one that came while Python ends would be that of its exit status.
    process.send_signal(signal.SIGINT)
    await eventually(has_ended)
    assert process.returncode == 0
