"""When a request goes: after its time, with its Secret, and never sooner."""

import json
from datetime import UTC, datetime, timedelta

from tests.support.discovery import OURS
from tests.support.discovery_scene import Scene
from tests.support.waiting import eventually

TTL = 4


def since(text: str) -> float:
    """The seconds since a time that is stored in whole seconds."""
    return (datetime.now(UTC) - datetime.fromisoformat(text)).total_seconds()


async def age(created: str) -> float:
    return since(created)


async def secret_gone(scene: Scene, request: str) -> None:
    """Wait until the garbage collector has removed the request's Secret."""
    await eventually(lambda: scene.discovery.secret(request), lambda found: found is None)


async def test_fault_7_a_completed_request_goes_by_its_completion_and_not_by_its_age(
    scene: Scene,
) -> None:
    discovery = scene.discovery
    await scene.controller(discovery_ttl_seconds=TTL)
    crashed = await scene.crashed()
    request = await discovery.request()
    created = (await discovery.read(request))["metadata"]["creationTimestamp"]
    await eventually(lambda: age(created), lambda found: found > TTL - 1)
    await discovery.set_active(crashed, False)
    completed = (await discovery.completed(request))["completed"]
    await discovery.gone(request)
    assert since(completed) >= TTL
    await secret_gone(scene, request)


async def test_a_pending_request_goes_by_its_age(scene: Scene) -> None:
    discovery = scene.discovery
    await scene.controller(discovery_ttl_seconds=TTL)
    await scene.crashed()
    request = await discovery.request()
    created = (await discovery.read(request))["metadata"]["creationTimestamp"]
    assert (await discovery.contributed(request))["status"] == "pending"
    await discovery.gone(request)
    assert since(created) >= TTL
    await secret_gone(scene, request)


async def test_what_became_too_old_while_the_controller_was_away_goes_at_its_start(
    scene: Scene,
) -> None:
    """And nothing else: not what another provider has completed a moment ago."""
    discovery = scene.discovery
    old, fresh = await discovery.request(), await discovery.request()
    for request, age in ((old, timedelta(hours=2)), (fresh, timedelta())):
        completed = (datetime.now(UTC) - age).strftime("%Y-%m-%dT%H:%M:%SZ")
        await discovery.merge_status(
            request, status="Completed", targetData={OURS: []}, completed=completed
        )
        text = json.dumps({OURS: {}})
        await discovery.plant(request, await discovery.read(request), text)
    await scene.controller()
    await discovery.gone(old)
    await secret_gone(scene, old)
    later = await discovery.request()
    await discovery.completed(later)
    assert await discovery.exists(fresh)
    assert await discovery.secret(fresh) is not None
