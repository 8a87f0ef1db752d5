"""Runs on a target whose limit was just changed, before the target is admitted with the new limit.

There is no controller: the test admits the target itself, or does not.
"""

import asyncio
from typing import Any

import pytest_asyncio

from tests.conftest import StartServices
from tests.support.custom_objects import MERGE, TARGETS, collection
from tests.support.running import Running, Wanted
from tests.support.runs import Runs
from tests.support.target_client import Targets
from tests.support.waiting import eventually


@pytest_asyncio.fixture
async def server(start_services: StartServices) -> Running:
    return await start_services(Wanted(controller=False, envoy=False))


def path_of(server: Running, target: str) -> str:
    return f"{collection(TARGETS, server.namespace)}/{target}"


async def with_new_limit(server: Running) -> str:
    """A target whose limit was changed, and is not admitted with it; the server has seen that."""
    targets = Targets(server.channel)
    target = await targets.create()
    change = {"spec": {"maxConcurrentJobs": 2}}
    await server.cluster.request("PATCH", path_of(server, target), change, MERGE)
    await eventually(lambda: targets.get(target), lambda seen: seen.HasField("max_concurrent_jobs"))
    return target


async def admit(server: Running, target: str) -> None:
    path = path_of(server, target)
    seen = await server.cluster.request("GET", path)
    generation: Any = seen["metadata"]["generation"]
    for condition in seen["status"]["conditions"]:
        condition["observedGeneration"] = generation
    status = {"status": {"conditions": seen["status"]["conditions"]}}
    await server.cluster.request("PATCH", f"{path}/status", status, MERGE)


async def test_a_run_waits_for_the_change(server: Running) -> None:
    target = await with_new_limit(server)
    asked = asyncio.create_task(Runs(server.channel).ask(target))
    done, _ = await asyncio.wait({asked}, timeout=0.3)
    assert not done
    await admit(server, target)
    reply = await asked
    assert [(each.status, each.error) for each in reply.jobs] == [("Pending", "")]


async def test_a_change_that_does_not_end_refuses_its_own_target_alone(server: Running) -> None:
    target, other = await with_new_limit(server), await Targets(server.channel).create()
    reply = await Runs(server.channel).ask(target, other)
    assert [(each.status, each.error) for each in reply.jobs] == [
        ("Failed", "the target is not registered completely yet"),
        ("Pending", ""),
    ]
