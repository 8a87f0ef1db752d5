"""The thread of the plain client: nothing waits for ever, and an interruption stays one."""

import os
import subprocess
import sys
import textwrap

from deploy.local.services import REPOSITORY

SECONDS = 200.0
HEAD = """
import asyncio, os, signal, threading
from krkn_grpc.client import loop_thread
from krkn_grpc.client.plain import Krkn

loop = loop_thread.shared()
"""


def printed(script: str) -> list[str]:
    """Run a script in a process of its own, which ends in time, and return what it prints."""
    ran = subprocess.run(
        [
            *("env", "--default-signal=INT", sys.executable, "-W", "ignore::DeprecationWarning"),
            *("-c", HEAD + textwrap.dedent(script)),
        ],
        cwd=REPOSITORY,
        env={**os.environ, "GRPC_VERBOSITY": "NONE"},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=True,
    )
    assert ran.stderr == ""
    return ran.stdout.splitlines()


def test_an_interruption_waits_for_the_cleanup_and_stays_one() -> None:
    assert printed(
        """
        async def items():
            try:
                yield "an item"
                threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT)).start()
                await asyncio.sleep(60)
            finally:
                for _ in range(20):
                    await asyncio.sleep(0.01)
                print("cleaned up")

        try:
            for item in loop.iterate(items()):
                print(item)
        except KeyboardInterrupt:
            print("interrupted")
        """
    ) == ["an item", "cleaned up", "interrupted"]


def test_an_iterator_that_is_never_closed_does_not_keep_the_process() -> None:
    assert printed(
        """
        async def items():
            while True:
                yield "an item"

        class Holder:
            pass

        # A cycle lives until the interpreter ends.
        holder = Holder()
        holder.itself, holder.items = holder, loop.iterate(items())
        print(next(holder.items))
        """
    ) == ["an item"]


def test_a_forked_process_gets_an_error() -> None:
    assert printed(
        """
        with Krkn("127.0.0.1:1", retry_seconds=0) as client:
            child = os.fork()
            if child == 0:
                try:
                    client.targets.select()
                except RuntimeError as error:
                    print("spawn" in str(error), flush=True)
                os._exit(0)
            os.waitpid(child, 0)
        """
    ) == ["True"]
