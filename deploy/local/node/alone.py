"""Runs a command in isolation, so that it may start a node, and cleans up however it ends.

    python -m deploy.local.node.alone COMMAND [ARGUMENT...]

The command runs as root in its own namespaces (see `namespaces`) and its own cgroup, whose name is
in KRKN_NODE_CGROUP. When it ends, is interrupted, or this program is killed, the kernel ends all
processes inside, and removes their mounts and network with the last one. One such command runs at
a time. If this program is killed, the empty cgroup stays until the next run removes it; empty
folders stay too, if it had to make some to mount on.
"""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from deploy.local.cache import only_one
from deploy.local.errors import StartError
from deploy.local.node import cgroups, namespaces
from deploy.local.progress import Progress

CGROUP = "KRKN_NODE_CGROUP"
_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run(command: list[str]) -> int:
    """Run the command and return its exit code."""
    wait = Progress()
    with only_one("node", lambda: wait.note("waiting for another node to end")):
        for name in cgroups.abandoned():
            cgroups.remove(name)
        name = f"{cgroups.PREFIX}{os.getpid()}"
        with _folders(), _cgroup(name), namespaces.left():
            first = os.fork()
            if first == 0:
                _be_first({**os.environ, CGROUP: name}, command)
            _pass_on(first, signal.SIGTERM)
            _, status = os.waitpid(first, 0)
            return os.waitstatus_to_exitcode(status)


def _be_first(environment: dict[str, str], command: list[str]) -> None:
    """Run as process 1, whose end ends all others: start the command and reap orphans."""
    code = 1
    try:
        namespaces.die_with_parent()
        # Ctrl-C reaches only the program started by hand, which signals this one, once.
        os.setsid()
        namespaces.furnish()
        # A process started in the background by a shell ignores SIGINT; the command must not.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        child = subprocess.Popen(command, env=environment)  # noqa: S603  # that is the purpose
        _pass_on(child.pid, signal.SIGINT)
        code = _exit_code(child.pid)
    except (StartError, OSError) as error:
        sys.stderr.write(f"{error}\n")
    finally:
        os._exit(code)


def _exit_code(wanted: int) -> int:
    while True:
        pid, status = os.wait()
        if pid == wanted:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code


def _pass_on(pid: int, number: signal.Signals) -> None:
    """Send `number` to the child when this process gets SIGINT, SIGTERM or SIGHUP."""

    def told(_number: int, _frame: FrameType | None) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)

    for each in _ENDING:
        signal.signal(each, told)


@contextlib.contextmanager
def _cgroup(name: str) -> Iterator[None]:
    try:
        cgroups.make(name)
        yield
    finally:
        cgroups.remove(name)


@contextlib.contextmanager
def _folders() -> Iterator[None]:
    """Create the missing mount points with their parents, and remove them at the end."""
    made: list[Path] = []
    try:
        for folder in map(Path, namespaces.WRITTEN_TO):
            for each in [*reversed(folder.parents), folder]:
                if not each.exists():
                    each.mkdir()
                    made.append(each)
        yield
    finally:
        for folder in reversed(made):
            with contextlib.suppress(OSError):  # somebody else uses it now
                folder.rmdir()


def main() -> None:
    """Run the command; see the module."""
    if os.geteuid() != 0:
        sys.exit("only root may start a node")
    try:
        sys.exit(run(sys.argv[1:]))
    except StartError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
