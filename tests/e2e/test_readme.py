"""README.md tells the truth: each of its commands is run, in order, as a reader would."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from deploy.local.go.build import Binaries
from deploy.local.processes.ports import free_port
from deploy.local.services import REPOSITORY

README = REPOSITORY / "README.md"
START, ADDRESS = "make run", "127.0.0.1:8080"
PATIENCE_SECONDS = 60.0
# grpcurl may have to be built first.
pytestmark = pytest.mark.timeout(600)

_FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_VARYING = {
    "TIME": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"),
    "in TIME (": re.compile(r"in \d+s \("),
    "ADDRESS": re.compile(r"127\.0\.0\.1:\d+"),
}
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True)
class Example:
    """Commands of the README and what it says that they print, if it says so."""

    commands: str
    output: str | None

    @property
    def only_looks(self) -> bool:
        """Whether running it again changes nothing, so that it may be waited for."""
        changes = r"\bcurl\b[^|]* (-d|-X) |^make |-m examples|krkn-grpc run"
        return not re.search(changes, self.commands, re.MULTILINE)


def examples() -> Iterator[Example]:
    """Read all shell blocks; a block of text or JSON after one is its output."""
    commands = None
    for language, content in _FENCE.findall(README.read_text()):
        if commands is not None and language in ("text", "json"):
            yield Example(commands, content)
            commands = None
            continue
        if commands is not None:
            yield Example(commands, None)
        commands = content if language == "sh" else None
    if commands is not None:
        yield Example(commands, None)


class Normal:
    """Text without what differs from one run to the next.

    Ids become numbers in the order in which they appear, over all examples: an id that the README
    shows twice has to be the same one twice in reality.
    """

    def __init__(self) -> None:
        self._ids: dict[str, str] = {}

    def of(self, text: str) -> str:
        for name, pattern in _VARYING.items():
            text = pattern.sub(name, text)
        text = "\n".join(line.rstrip() for line in text.splitlines())
        return _UUID.sub(lambda found: self._number(found[0]), text).strip()

    def _number(self, found: str) -> str:
        return self._ids.setdefault(found, f"ID-{len(self._ids) + 1}")

    def copy(self) -> "Normal":
        copied = Normal()
        copied._ids = dict(self._ids)
        return copied


class Shell:
    """One shell for all examples, as in one terminal."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            ["bash", "--noprofile", "--norc"],
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, commands: str) -> str:
        """Return what the commands print to standard output; none of them may fail."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"set -e -o pipefail\n{commands}\necho END-OF-EXAMPLE\n")
        self._process.stdin.flush()
        lines: list[str] = []
        while (line := self._process.stdout.readline()) != "END-OF-EXAMPLE\n":
            if not line:
                _, said = self._process.communicate()
                raise AssertionError(f"failed: {commands}\n{''.join(lines)}{said}")
            lines.append(line)
        return "".join(lines)

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()


@dataclass(frozen=True)
class Workspace:
    """A folder that looks like a clone, and settings that keep it apart from other runs."""

    folder: Path
    environment: dict[str, str]
    address: str

    def here(self, text: str) -> str:
        """Put this run's address in the place of the README's."""
        return text.replace(ADDRESS, self.address)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    port = free_port()
    # Of a make that started this test nothing is handed on to those of the examples.
    inherited = {name: text for name, text in os.environ.items() if not name.startswith("MAKE")}
    environment = {
        **inherited,
        "KRKN_SERVER": f"127.0.0.1:{port}",
        "KRKN_REST_PORT": str(port),
        "KRKN_GRPC_PORT": str(free_port()),
    }
    made = Workspace(tmp_path / "krkn-grpc", environment, f"127.0.0.1:{port}")
    made.folder.mkdir()
    for entry in REPOSITORY.iterdir():
        if entry.name not in {".git", ".local", "examples"}:
            (made.folder / entry.name).symlink_to(entry)
    shutil.copytree(REPOSITORY / "examples", made.folder / "examples")
    for example in (made.folder / "examples").glob("*.py"):
        example.write_text(made.here(example.read_text()))
    return made


@pytest.fixture
def running(workspace: Workspace, binaries: Binaries) -> Iterator[None]:
    """`make run`, as in the first terminal; Ctrl-C at the end."""
    log = workspace.folder / "run.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            START.split(),
            cwd=workspace.folder,
            env=workspace.environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        deadline = time.monotonic() + 200
        while "krkn-grpc runs" not in log.read_text():
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
        yield
        os.killpg(process.pid, signal.SIGINT)
        process.wait(60)
        assert not (workspace.folder / ".local").exists()
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


@pytest.mark.usefixtures("running")
def test_the_commands_print_what_the_readme_says(workspace: Workspace) -> None:
    shell = Shell(workspace.folder, workspace.environment)
    written, printed = Normal(), Normal()
    try:
        start, *others = examples()
        assert start.commands.strip() == START
        for example in others:
            commands = workspace.here(example.commands)
            output = shell.run(commands)
            if example.output is None:
                continue
            expected = written.of(example.output)
            deadline = time.monotonic() + PATIENCE_SECONDS
            while printed.copy().of(output) != expected and example.only_looks:
                if time.monotonic() > deadline:
                    break
                time.sleep(0.2)
                output = shell.run(commands)
            assert printed.of(output) == expected, commands
    finally:
        shell.close()


def test_the_python_example_is_the_file_that_is_checked() -> None:
    shown = [
        content for language, content in _FENCE.findall(README.read_text()) if language == "python"
    ]
    assert shown == [(REPOSITORY / "examples" / "quickstart.py").read_text()]
