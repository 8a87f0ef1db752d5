"""What is said of known faults of our packages: that they are, that they are not, or neither."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from deploy.local.processes.ports import free_port
from deploy.local.services import REPOSITORY

PACKAGE = "aiohttp"
FAULT = {
    "id": "PYSEC-1-1",
    "summary": "it breaks",
    "affected": [
        {
            "package": {"name": PACKAGE, "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "99.0"}]}],
        }
    ],
}
NOT_ASKED = "nobody who knows them answers from here"


@contextmanager
def knowing(faults: dict[str, Any], status: int = 200) -> Iterator[str]:
    """Something that answers as OSV does, with these faults; its URL."""

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
            known = faults.get(asked["package"]["name"])
            content = json.dumps({"vulns": [known]} if known else {}).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def audit(cache: Path, *options: str) -> tuple[int, str, str]:
    """Ask; the exit code, and what is said to either."""
    command = [sys.executable, "requirements/audit.py", f"--cache-dir={cache}", *options]
    done = subprocess.run(
        command, cwd=REPOSITORY, capture_output=True, text=True, timeout=200, check=False
    )
    return done.returncode, done.stdout, done.stderr


def test_no_package_has_a_fault(tmp_path: Path) -> None:
    with knowing({}) as url:
        code, said, _ = audit(tmp_path, "-s", "osv", "--osv-url", url)
    assert code == 0
    assert said.endswith(" packages, no known fault\n")
    assert int(said.split()[0]) > 50


def test_one_has(tmp_path: Path) -> None:
    with knowing({PACKAGE: FAULT}) as url:
        code, said, _ = audit(tmp_path, "-s", "osv", "--osv-url", url)
    assert code == 1
    assert said.startswith(f"{PACKAGE} ")
    assert said.endswith(": PYSEC-1-1, mended in 99.0\n")


@pytest.mark.parametrize("status", [404, 500])
def test_who_answers_something_else_was_not_asked(tmp_path: Path, status: int) -> None:
    with knowing({}, status) as url:
        code, said, _ = audit(tmp_path, "-s", "osv", "--osv-url", url)
    assert (code, said) == (75, f"{NOT_ASKED}\n")


def test_who_does_not_answer_was_not_asked(tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    code, said, _ = audit(tmp_path, "-s", "osv", "--osv-url", url)
    assert (code, said) == (75, f"{NOT_ASKED}\n")


def test_a_wrong_option_is_a_failure(tmp_path: Path) -> None:
    code, said, problem = audit(tmp_path, "--nonsense")
    assert (code, said) == (1, "")
    assert "--nonsense" in problem
