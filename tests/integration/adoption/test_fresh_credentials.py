"""A job on an adopted target starts with a credential that is not too old."""

import json
from pathlib import Path

from deploy.local.cluster.control_plane import ControlPlane
from tests.integration.adoption.conftest import SETTINGS, Foreign, adopting_namespace
from tests.integration.adoption.other_provider import OtherProvider
from tests.support.controllers import controller
from tests.support.custom_objects import MERGE, TARGETS, Manifest, collection
from tests.support.jobs import Jobs
from tests.support.requests import unused_name
from tests.support.waiting import eventually

ADOPTION = "krkn.krkn-chaos.dev/adoption"


async def grow_old(provider: OtherProvider, target: Manifest) -> None:
    """Let the copy be from a request of long ago.

    Of two requests of one second, the one that counts is not always the later one: so the next one
    is made in another second, as it would be if the copy were that old.
    """
    adoption = json.loads(target["metadata"]["annotations"][ADOPTION])
    adoption["credential"]["requested"] = "2020-01-01T00:00:00Z"
    change = {"metadata": {"annotations": {ADOPTION: json.dumps(adoption)}}}
    path = f"{collection(TARGETS, provider.namespace)}/{target['metadata']['name']}"
    await provider.cluster.request("PATCH", path, change, MERGE)
    await provider.next_second()


async def unanswered(provider: OtherProvider) -> list[Manifest]:
    """The requests that wait for the provider."""
    requests = await provider.requests()
    return [each for each in requests if each.get("status", {}).get("status") != "Completed"]


async def test_an_old_credential_is_renewed_before_jobs_start(
    provider: OtherProvider, foreign: Foreign, jobs: Jobs
) -> None:
    name, port = unused_name(), await foreign.port()
    await provider.answer({name: foreign.at(port)})
    target = await provider.ready(name)
    await grow_old(provider, target)

    waiting = [await jobs.job(target) for _ in range(2)]
    for job in waiting:
        await jobs.waiting(job, "RefreshingCredential")
        assert await jobs.pod(job) is None
    # One for both: there is a request that says by whom it was made.
    [request] = await eventually(lambda: unanswered(provider))
    assert request["metadata"]["labels"]["krkn.krkn-chaos.dev/uuid"] == request["spec"]["uuid"]
    requested_by = request["metadata"]["annotations"]["krkn.krkn-chaos.dev/requested-by"]
    assert requested_by == "krkn-grpc-controller"

    await provider.answer({name: foreign.at(port)}, request)
    for job in waiting:
        # What they have pinned is what it was: the same target, the same Secret.
        assert (await jobs.finished(job))["phase"] == "Succeeded"
    assert await unanswered(provider) == []


async def test_a_fresh_credential_is_not_asked_for_again(
    provider: OtherProvider, foreign: Foreign, jobs: Jobs
) -> None:
    name = unused_name()
    await provider.answer({name: await foreign.kubeconfig()})
    before = len(await provider.requests())
    assert (await jobs.finished(await jobs.job(await provider.ready(name))))["phase"] == "Succeeded"
    assert len(await provider.requests()) == before


async def test_a_provider_that_does_not_answer_is_the_cause(
    control_plane: ControlPlane, foreign: Foreign, tmp_path: Path
) -> None:
    settings = {
        "adopt_providers": SETTINGS["KRKN_ADOPT_PROVIDERS"],
        "start_deadline_seconds": 3,
        "lease_seconds": 2,
    }
    async with (
        adopting_namespace(control_plane) as namespace,
        controller(control_plane.cluster, namespace, tmp_path, settings) as process,
    ):
        provider = OtherProvider(control_plane.cluster, namespace, "other-provider-0")
        await provider.register()
        await process.start()
        name = unused_name()
        await provider.answer({name: await foreign.kubeconfig()})
        target = await provider.ready(name)
        await grow_old(provider, target)
        jobs = Jobs(control_plane, namespace)
        status = await jobs.finished(await jobs.job(target))
        assert (status["phase"], status["reason"]) == ("Failed", "RefreshingCredential")
        assert "did not start within 3 seconds" in status["message"]
        assert len(await unanswered(provider)) == 1
