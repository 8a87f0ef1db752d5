"""Programs that a test starts."""

import asyncio
import os


def inherited_environment() -> dict[str, str]:
    """Return the variables of this process but our own settings, for a program that has its own."""
    return {name: text for name, text in os.environ.items() if not name.startswith("KRKN_")}


async def output_of(
    process: asyncio.subprocess.Process, *, seconds: float = 150.0
) -> tuple[bytes, bytes]:
    """Return what it prints to both outputs until its end; it is killed if it takes longer."""
    try:
        async with asyncio.timeout(seconds):
            return await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
