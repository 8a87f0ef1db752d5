"""Tests of the server's parts, most of them about calls that wait for each other."""

import asyncio
from collections.abc import AsyncIterator

import pytest_asyncio


@pytest_asyncio.fixture(autouse=True)
async def no_task_outlives_its_test() -> AsyncIterator[None]:
    """End those that still wait: all tests share a loop, so they would fail in another one."""
    before = asyncio.all_tasks()
    yield
    left = asyncio.all_tasks() - before - {asyncio.current_task()}
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)
