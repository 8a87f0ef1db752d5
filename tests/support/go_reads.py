"""How Go's own libraries read a kubeconfig, an image, a dashboard: a small program asks them.

It is built once, from the pinned module in tests/support/go.
"""

import base64
import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from deploy.local.go.module import GoModule
from deploy.local.progress import Progress

MODULE = Path(__file__).with_name("go")


@dataclass(frozen=True)
class Answer:
    """What client-go made of a kubeconfig; `error` is empty where it could read it."""

    error: str
    host: str
    token: str = field(repr=False)
    username: str
    password: str = field(repr=False)
    insecure: bool
    name: str
    ca: str
    cert: str
    key: str = field(repr=False)


class GoReads:
    """The program, which answers line by line."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def kubeconfig(self, text: str) -> Answer:
        """How client-go reads it."""
        return self._ask({"kubeconfig": base64.b64encode(text.encode()).decode()})

    def takes_image(self, text: str) -> bool:
        """Whether a node takes the text for an image."""
        return not self._ask({"image": text}).error

    def dashboard_error(self, text: str) -> str:
        """Why Grafana's schema does not take a dashboard, "" if it does."""
        return self._ask({"dashboard": base64.b64encode(text.encode()).decode()}).error

    def _ask(self, question: dict[str, str]) -> Answer:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        return Answer(**json.loads(self._process.stdout.readline()))


@contextmanager
def go_reads() -> Iterator[GoReads]:
    """Build the program where it is missing, and start it."""
    binary = GoModule("go-reads", MODULE, "a minute").binaries(["reads"], Progress())["reads"]
    with subprocess.Popen(
        [binary], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield GoReads(process)
