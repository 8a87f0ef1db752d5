"""Programs that a test starts."""

import asyncio


async def output_of(
    process: asyncio.subprocess.Process, *, seconds: float = 60.0
) -> tuple[bytes, bytes]:
    """Return what it prints to both outputs until its end; it is killed if it takes longer."""
    try:
        async with asyncio.timeout(seconds):
            return await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
