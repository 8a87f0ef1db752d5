"""A namespace, a proxy before its API server, and a controller behind the proxy.

A short selection runs by default; with KRKN_FAULTS=all every case does (`make faults`).
"""

import contextlib
import os
from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pytest
import pytest_asyncio

from deploy.local.cluster.control_plane import ControlPlane
from tests.faults.proxy import FaultProxy
from tests.integration.jobs.conftest import a_namespace
from tests.support.controllers import Controller, controller
from tests.support.jobs import Jobs

ALL = os.environ.get("KRKN_FAULTS") == "all"
SETTINGS = {"grace_seconds": 5, "sweep_seconds": 2, "unclaimed_seconds": 2, "lease_seconds": 2}


@dataclass(frozen=True)
class Behind:
    """A controller and the proxy that all its calls go through."""

    controller: Controller
    proxy: FaultProxy


class StartBehind(Protocol):
    """Makes a controller behind a proxy; settings may differ from SETTINGS."""

    def __call__(self, **settings: int | str) -> Awaitable[Behind]: ...


@pytest_asyncio.fixture
async def jobs(control_plane: ControlPlane) -> AsyncIterator[Jobs]:
    """A namespace of this test alone."""
    async with a_namespace(control_plane) as made:
        yield made


@pytest_asyncio.fixture
async def behind_a_proxy(
    control_plane: ControlPlane, jobs: Jobs, tmp_path: Path
) -> AsyncIterator[StartBehind]:
    """Give a controller that reaches the API server through a proxy of its own; `start` it."""
    async with contextlib.AsyncExitStack() as stack:

        async def start(**settings: int | str) -> Behind:
            proxy = FaultProxy(control_plane.url, control_plane.ca_pem)
            await stack.enter_async_context(proxy.serving())
            all_settings = SETTINGS | settings
            process = await stack.enter_async_context(
                controller(
                    control_plane.cluster, jobs.namespace, tmp_path, all_settings, url=proxy.url
                )
            )
            return Behind(process, proxy)

        yield start


@pytest.fixture
def is_thorough() -> bool:
    """Whether every case is tried."""
    return ALL
