"""Free ports on loopback."""

import asyncio
import sys

from deploy.local.processes.ports import free_port

COUNT = 500
PROGRAM = f"""
import sys
from deploy.local.processes.ports import free_port
print(*(free_port() for _ in range({COUNT})), flush=True)
sys.stdin.read()
"""


async def test_no_port_is_given_twice() -> None:
    """Neither in a process nor in several: others choose before the first one listens."""
    pipe = asyncio.subprocess.PIPE
    others = [
        await asyncio.create_subprocess_exec(sys.executable, "-c", PROGRAM, stdin=pipe, stdout=pipe)
        for _ in range(2)
    ]
    ports = [free_port() for _ in range(COUNT)]
    for other in others:
        assert other.stdout
        ports += [int(port) for port in (await other.stdout.readline()).split()]
    for other in others:
        await other.communicate(b"")
    assert len(set(ports)) == len(ports) == COUNT * 3
