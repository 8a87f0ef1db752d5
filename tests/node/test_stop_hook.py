"""The stop hook in every shell that images have: whom it tells, below which process 1."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from controller.jobs import stop_hook
from tests.support.waiting import eventually

SHELLS = {"bash": ["/bin/bash"], "dash": ["/bin/dash"], "busybox": ["/bin/busybox", "sh"]}

# Says that it is there, each time that it is told, and when it is asked whether it was (shells
# take pending signals by their number, WINCH after TERM). $1 is its name, it starts what follows.
HEARS = """
trap 'echo "told $1" >>said' TERM
trap 'echo "asked $1" >>said' WINCH
echo "here $1" >>said
name=$1
shift
"$@" &
set -- "$name"
while :; do sleep 0.1; done
"""
# Has no handler. The command is not the last, or a shell might become it.
DEAF = """
echo "here $1" >>said
shift
"$@"
while :; do sleep 0.1; done
"""
# Comes to its command late.
PREPARES = """
echo "here $1" >>said
shift
sleep 2
"$@"
while :; do sleep 0.1; done
"""
# Runs a tool first that dies of SIGTERM, as those written in Go do, and goes on then.
CHECKS = """
echo "here $1" >>said
shift
sh -c 'trap "echo told tool >>said; exit" TERM; echo here tool >>said; while :; do sleep 0.1; done'
"$@"
while :; do sleep 0.1; done
"""
# Has a handler after a while, and is told by the node then.
BECOMES = """
echo "here $1" >>said
sleep 2
trap 'echo "told $1" >>said' TERM
echo "hears $1" >>said
while :; do sleep 0.1; done
"""
# As tini does: it waits for the signal instead of having a handler, and its child does not.
WAITS = """
import signal, subprocess, sys
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
unblocked = lambda: signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
open("said", "a").write("here init\\n")
subprocess.Popen(sys.argv[1:], preexec_fn=unblocked).wait()
"""


@dataclass(frozen=True)
class Container:
    """Processes that see each other alone, the first of them as process 1."""

    folder: Path
    first: int

    async def has(self, *lines: str) -> None:
        """Wait until exactly this was said, in any order."""
        await eventually(self.said, lambda said: said == sorted(lines))

    async def said(self) -> list[str]:
        """Return what was said."""
        file = self.folder / "said"
        return sorted(file.read_text().splitlines()) if file.exists() else []

    def ask(self) -> None:
        """Ask all processes whether they were told; who has no handler does not notice."""
        for pid in [self.first, *_below(self.first)]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGWINCH)

    async def run_hook(self, shell: list[str], grace_seconds: int) -> int:
        """Run the hook as the node does: inside, and below nobody."""
        inside = ["nsenter", f"--target={self.first}", "--pid", "--mount"]
        _, *arguments = stop_hook.command(grace_seconds)
        process = await asyncio.create_subprocess_exec(*inside, *shell, *arguments)
        return await process.wait()


@pytest.fixture(params=list(SHELLS))
def shell(request: pytest.FixtureRequest) -> list[str]:
    return SHELLS[request.param]


@pytest.fixture
def container(
    request: pytest.FixtureRequest, shell: list[str], tmp_path: Path
) -> Iterator[Container]:
    """The processes that the test's parameter names, each started by the one before."""
    command: list[str] = []
    for kind, name in reversed(request.param):
        if kind is WAITS:
            command = [sys.executable, "-c", WAITS, *command]
        else:
            command = [*shell, "-c", kind, "sh", name, *(command or [":"])]
    outside = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]
    with subprocess.Popen([*outside, *command], cwd=tmp_path) as process:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        while not (first := children.read_text().split()):
            assert process.poll() is None
        yield Container(tmp_path, int(first[0]))
        process.kill()


@pytest.mark.parametrize(
    ("container", "told"),
    [
        pytest.param([(DEAF, "sh"), (HEARS, "krkn")], ["krkn"], id="krkn under a shell"),
        pytest.param(
            [(DEAF, "sh"), (DEAF, "run.sh"), (HEARS, "krkn")], ["krkn"], id="under two shells"
        ),
        pytest.param(
            [(DEAF, "sh"), (HEARS, "krkn"), (HEARS, "worker")], ["krkn"], id="not its children"
        ),
        pytest.param([(HEARS, "krkn")], [], id="krkn is process 1"),
        pytest.param([(HEARS, "krkn"), (HEARS, "worker")], [], id="krkn is, and has children"),
        pytest.param([(WAITS, "init"), (HEARS, "krkn")], [], id="an init passes signals on"),
        pytest.param([(DEAF, "sh"), (DEAF, "run.sh")], [], id="nobody has a handler"),
    ],
    indirect=["container"],
)
async def test_whom_it_tells(
    container: Container, shell: list[str], told: list[str], request: pytest.FixtureRequest
) -> None:
    processes = request.node.callspec.params["container"]
    said = [f"here {name}" for _, name in processes]
    await container.has(*said)
    # The second time shows that nobody has died of the first.
    for _ in range(2):
        assert await container.run_hook(shell, grace_seconds=4) == 0
        container.ask()
        said += [f"asked {name}" for kind, name in processes if kind is HEARS]
        said += [f"told {name}" for name in told]
        await container.has(*said)


@pytest.mark.parametrize(
    ("container", "before", "after"),
    [
        pytest.param(
            [(PREPARES, "sh"), (HEARS, "krkn")],
            ["here sh"],
            ["here krkn", "told krkn"],
            id="krkn is not there yet",
        ),
        pytest.param(
            [(CHECKS, "sh"), (HEARS, "krkn")],
            ["here sh", "here tool"],
            ["told tool", "here krkn", "told krkn"],
            id="something else is told first",
        ),
        pytest.param(
            [(BECOMES, "krkn")], ["here krkn"], ["hears krkn"], id="process 1 is not ready yet"
        ),
    ],
    indirect=["container"],
)
async def test_it_waits_for_who_is_about_to_start(
    container: Container, shell: list[str], before: list[str], after: list[str]
) -> None:
    await container.has(*before)
    assert await container.run_hook(shell, grace_seconds=60) == 0
    await container.has(*before, *after)


def _below(pid: int) -> list[int]:
    """All descendants, as this process knows them."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [found for child in map(int, children) for found in (child, *_below(child))]
