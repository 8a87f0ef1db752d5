"""The programs of docs/client.md run as they stand there."""

import asyncio
import os
import re
import sys

import pytest

from deploy.local.services import REPOSITORY
from tests.support.rest import Rest
from tests.support.running import Running

PROGRAMS = re.findall(
    r"^```python\n(.*?)^```$",
    (REPOSITORY / "docs" / "client.md").read_text(),
    re.MULTILINE | re.DOTALL,
)
SELECTOR = "env=staging"


@pytest.mark.parametrize("program", PROGRAMS, ids=range(len(PROGRAMS)))
async def test_a_program(shared_services: Running, program: str) -> None:
    rest = Rest(shared_services.rest)
    if SELECTOR in program:
        await rest.register(labels={"env": "staging"})
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", program),
        cwd=REPOSITORY,
        env={**os.environ, "KRKN_SERVER": shared_services.processes.rest_url},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert (process.returncode, err.decode()) == (0, "")
    # Only the one about tokens says nothing.
    assert bool(out) == ("tokens.Kubectl" not in program)
    if SELECTOR in program:
        assert "Succeeded" in out.decode()


def test_there_are_programs() -> None:
    assert len(PROGRAMS) >= 5
