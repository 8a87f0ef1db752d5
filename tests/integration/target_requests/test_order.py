"""Both providers answer, in every order; at no moment does a request promise what is not there."""

import pytest

from tests.support.custom_objects import REQUESTS, Manifest
from tests.support.discovery import OURS, assert_untouched, condition_of, is_completed, sections_of
from tests.support.discovery_scene import Scene
from tests.support.object_watch import ObjectWatch
from tests.support.other_providers import OtherProviderProcess


async def answered_in_order(scene: Scene, other: OtherProviderProcess, first: str) -> str:
    """Make a request that is answered by one provider, and let the second one come then."""
    discovery = scene.discovery
    controller = scene.shared
    assert controller is not None
    await other.start()
    if first == "theirs":
        await controller.kill()
        request = await discovery.request()
        await discovery.contributed(request, other.name)
        await controller.start()
    elif first == "ours":
        await other.kill()
        request = await discovery.request()
        await discovery.contributed(request)
        await other.start()
    else:
        request = await discovery.request()
    return request


async def until_seen(watch: ObjectWatch, request: str, *others: str) -> None:
    """Wait until the watch has come to where the request is whole."""
    await watch.until(
        "seen to the end",
        lambda: (
            is_completed((watch.latest(REQUESTS, request) or {}).get("status", {}))
            and set(sections_of(watch.latest("secrets", request))) == {OURS, *others}
        ),
    )


def assert_always_in_order(watch: ObjectWatch, request: str, *others: OtherProviderProcess) -> None:
    """Assert it of every state: the Secret has what a key promises; Completed has all keys.

    Where another provider has overwritten the Secret, it had our section before it had our key.
    """
    required = {OURS, *(other.name for other in others)}
    secrets = watch.versions_of("secrets", request)
    states = watch.versions_of(REQUESTS, request)
    assert is_completed(states[-1]["status"])
    assert set(sections_of(secrets[-1])) == required
    for state in states:
        status = state.get("status", {})
        before = [each for each in secrets if revision(each) < revision(state)]
        if not any(other.has_overwritten(request) for other in others):
            before = before[-1:]
        sections = {provider for each in before for provider in sections_of(each)}
        answered = set(status.get("targetData", {}))
        assert answered <= sections, status
        assert answered == required or not is_completed(status), status


def revision(of: Manifest) -> int:
    return int(of["metadata"]["resourceVersion"])


@pytest.mark.parametrize("completes", [True, False], ids=["they-complete", "we-complete"])
@pytest.mark.parametrize("first", ["theirs", "ours", "at once"])
async def test_fault_1_the_secret_then_the_key_then_completed(
    patient: Scene, first: str, completes: bool
) -> None:
    discovery = patient.discovery
    other = await patient.other(start=False, completes=completes)
    async with discovery.jobs.watch() as watch:
        request = await answered_in_order(patient, other, first)
        status = await discovery.completed(request)
        # The other provider's last write has removed it.
        await discovery.condition(request, "Contributed", "Provided")
        assert_untouched(other, status, await discovery.sections(request))
        assert status["targetData"][OURS] == []
        assert condition_of(await discovery.status(request), "ProvidersMissing") == {}
        await until_seen(watch, request, other.name)
        assert_always_in_order(watch, request, other)


async def test_what_has_been_answered_does_not_change(patient: Scene) -> None:
    """After completion nothing is written any more, and nothing is repeated by a restart."""
    discovery = patient.discovery
    controller = patient.shared
    assert controller is not None
    request = await discovery.request()
    await discovery.completed(request)
    await discovery.condition(request, "Contributed", "Provided")
    before = await discovery.read(request), await discovery.secret(request)
    await controller.kill()
    await controller.start()
    await controller.logged("leading")
    second = await discovery.request()  # a pass that comes after the one of the first
    await discovery.completed(second)
    assert (await discovery.read(request), await discovery.secret(request)) == before


async def test_the_form_of_an_answer(patient: Scene) -> None:
    """What every provider and client of this API group expects to find."""
    discovery = patient.discovery
    request = await discovery.request()
    await discovery.completed(request)
    await discovery.condition(request, "Contributed", "Provided")
    made = await discovery.read(request)
    metadata, status = made["metadata"], made["status"]
    assert metadata["labels"]["krkn.krkn-chaos.dev/uuid"] == request
    assert status["targetData"] == {OURS: []}
    assert status["created"] == metadata["creationTimestamp"] <= status["completed"]
    secret = await discovery.secret(request)
    assert secret is not None
    assert secret["metadata"]["labels"]["krkn.krkn-chaos.dev/target-request"] == request
    [owner] = secret["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["controller"]) == ("KrknTargetRequest", True)
    assert owner["uid"] == metadata["uid"]
    assert sections_of(secret) == {OURS: {}}
