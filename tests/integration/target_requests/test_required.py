"""Which providers a request waits for, how long, and what makes it look again."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.integration.target_requests.conftest import DEADLINE
from tests.support.cluster_rules import make_quota
from tests.support.custom_objects import MERGE, PROVIDERS, Manifest, collection
from tests.support.discovery import OURS, assert_untouched, condition_of
from tests.support.discovery_scene import Scene


def took(request: Manifest) -> float:
    """The seconds from the creation of a request to its completion, as both are stored."""
    created = datetime.fromisoformat(request["metadata"]["creationTimestamp"])
    completed = datetime.fromisoformat(request["status"]["completed"])
    return (completed - created).total_seconds()


async def completed_late(scene: Scene, request: str, missing: str) -> Manifest:
    """Assert that the request is completed by the deadline, no sooner, without this provider."""
    await scene.discovery.completed(request)
    told = await scene.discovery.condition(request, "ProvidersMissing", status="True")
    assert missing in told["message"]
    seen = await scene.discovery.read(request)
    assert missing not in seen["status"].get("targetData", {})
    assert took(seen) >= DEADLINE - 1  # both times are of whole seconds
    status: Manifest = seen["status"]
    return status


async def test_an_inactive_provider_is_not_waited_for(patient: Scene) -> None:
    await patient.provider("off", active=False, beat=datetime.now(UTC))
    request = await patient.discovery.request()
    status = await patient.discovery.completed(request)
    assert status["targetData"] == {OURS: []}
    assert condition_of(status, "ProvidersMissing") == {}


async def test_one_that_left_in_order_is_not_waited_for(patient: Scene) -> None:
    other = await patient.other()
    await other.leave()
    request = await patient.discovery.request()
    assert (await patient.discovery.completed(request))["targetData"] == {OURS: []}


async def test_fault_2_an_inactive_providers_answer_stands_for_no_other(hasty: Scene) -> None:
    """Two have answered and two are active; they are not the same two."""
    await hasty.provider("off", active=False, beat=datetime.now(UTC))
    crashed = await hasty.crashed()
    request = await hasty.discovery.request()
    await hasty.discovery.merge_status(request, targetData={"off": []})
    status = await completed_late(hasty, request, crashed)
    assert set(status["targetData"]) == {OURS, "off"}


async def test_fault_3_a_crashed_provider_is_waited_for_until_it_is_lost(scene: Scene) -> None:
    lost = 4
    await scene.controller(provider_lost_seconds=lost)
    other = await scene.other()
    request = await scene.discovery.request()
    await scene.discovery.completed(request)
    await other.kill()
    request = await scene.discovery.request()
    await scene.discovery.contributed(request)
    status = await scene.discovery.completed(request)
    assert set(status["targetData"]) == {OURS}
    path = f"{collection(PROVIDERS, scene.discovery.namespace)}/{other.name}"
    beat = (await scene.discovery.cluster.request("GET", path))["status"]["timestamp"]
    silent = datetime.fromisoformat(status["completed"]) - datetime.fromisoformat(beat)
    assert silent >= timedelta(seconds=lost - 1)  # both times are of whole seconds
    assert took(await scene.discovery.read(request)) < 40, "and not until the deadline"


async def test_one_that_crashed_long_ago_is_not_waited_for(scene: Scene) -> None:
    await scene.provider("crashed", active=True, beat=datetime.now(UTC) - timedelta(hours=1))
    await scene.provider("never-beat", active=True, beat=None)
    await scene.controller()
    request = await scene.discovery.request()
    await scene.discovery.completed(request)
    assert took(await scene.discovery.read(request)) < 40


async def test_fault_3_nobody_is_waited_for_after_the_deadline(hasty: Scene) -> None:
    crashed = await hasty.crashed()
    request = await hasty.discovery.request()
    await completed_late(hasty, request, crashed)


@pytest.mark.parametrize("refused", ["a quota", "an immutable Secret"])
async def test_fault_6_a_refused_secret_holds_no_request_beyond_the_deadline(
    scene: Scene, refused: str
) -> None:
    """Whatever the cluster has against our write: it is late, and the request is not."""
    discovery = scene.discovery
    await scene.controller(discovery_deadline_seconds=DEADLINE)
    if refused == "a quota":
        await make_quota(discovery.cluster, discovery.namespace, "secrets", 0)
        request = await discovery.request()
    else:
        await discovery.set_active(OURS, False)
        request = await discovery.request()
        await discovery.pending(request)
        await discovery.plant(request, await discovery.read(request), "{}")
        path = f"/api/v1/namespaces/{discovery.namespace}/secrets/{request}"
        await discovery.cluster.request("PATCH", path, {"immutable": True}, MERGE)
        await discovery.set_active(OURS, True)
    await discovery.condition(request, "Contributed", "SecretRefused", status="False")
    await completed_late(scene, request, OURS)


async def test_a_slow_provider_is_waited_for(scene: Scene) -> None:
    """It beats while it looks at its clusters, for longer than a silent one is waited for."""
    await scene.controller(provider_lost_seconds=10)
    await scene.crashed()
    request = await scene.discovery.request()
    await scene.discovery.contributed(request)
    other = await scene.other(slow_seconds=11.5)
    status = await scene.discovery.completed(request)
    assert took(await scene.discovery.read(request)) >= 11
    assert_untouched(other, status, await scene.discovery.sections(request))
    assert set(status["targetData"]) == {OURS, other.name}


async def test_one_that_is_slower_than_the_deadline_is_late(hasty: Scene) -> None:
    """What it writes afterwards takes nothing away from us."""
    other = await hasty.other(slow_seconds=DEADLINE + 1)
    request = await hasty.discovery.request()
    await completed_late(hasty, request, other.name)
    await other.did("secret", request)
    assert set(await hasty.discovery.sections(request)) == {OURS, other.name}


async def test_fault_4_a_deactivation_wakes_what_waits_for_the_provider(patient: Scene) -> None:
    crashed = await patient.crashed()
    request = await patient.discovery.request()
    status = await patient.discovery.contributed(request)
    assert (status["status"], condition_of(status, "ProvidersMissing")) == ("pending", {})
    await patient.discovery.set_active(crashed, False)
    assert (await patient.discovery.completed(request))["targetData"] == {OURS: []}


async def test_fault_4_so_does_an_activation(hasty: Scene) -> None:
    """A provider that is switched on while a request waits is waited for, too."""
    await hasty.provider("off", active=False, beat=datetime.now(UTC))
    crashed = await hasty.crashed()
    request = await hasty.discovery.request()
    await hasty.discovery.contributed(request)
    await hasty.discovery.set_active("off", True)
    await hasty.discovery.set_active(crashed, False)
    await completed_late(hasty, request, "off")


async def test_fault_4_so_does_the_deletion_of_the_provider(patient: Scene) -> None:
    crashed = await patient.crashed()
    request = await patient.discovery.request()
    await patient.discovery.contributed(request)
    path = f"{collection(PROVIDERS, patient.discovery.namespace)}/{crashed}"
    await patient.discovery.cluster.request("DELETE", path)
    await patient.discovery.completed(request)


async def test_fault_4_our_own_activation_wakes_what_we_have_skipped(patient: Scene) -> None:
    """While an administrator has switched us off we answer nothing."""
    discovery = patient.discovery
    await discovery.set_active(OURS, False)
    request = await discovery.request()
    await discovery.condition(request, "Contributed", "ProviderInactive", status="False")
    status = await discovery.status(request)
    assert status["status"] == "pending"
    assert OURS not in status.get("targetData", {})
    assert await discovery.secret(request) is None
    await discovery.set_active(OURS, True)
    assert (await discovery.completed(request))["targetData"] == {OURS: []}
    await discovery.condition(request, "Contributed", "Provided", status="True")


async def test_while_we_are_inactive_others_alone_complete_a_request(patient: Scene) -> None:
    discovery = patient.discovery
    await discovery.set_active(OURS, False)
    other = await patient.other(completes=False)
    request = await discovery.request()
    status = await discovery.completed(request)
    assert set(status["targetData"]) == {other.name}
    assert set(await discovery.sections(request)) == {other.name}


async def test_with_no_active_provider_a_request_ends_by_the_deadline(hasty: Scene) -> None:
    await hasty.discovery.set_active(OURS, False)
    request = await hasty.discovery.request()
    status = await hasty.discovery.completed(request)
    assert status.get("targetData", {}) == {}
    assert took(await hasty.discovery.read(request)) >= DEADLINE - 1
