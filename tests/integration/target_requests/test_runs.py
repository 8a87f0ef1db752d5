"""What a discovery leads to: a run is of a target, by its uuid, and needs the request no more."""

from collections.abc import Sequence
from typing import Any

from tests.integration.target_requests.conftest import Site
from tests.integration.target_requests.test_rest import CLUSTERS, PATH, completed
from tests.support.discovery import OURS, RealCluster
from tests.support.other_provider_types import NAME, target_data
from tests.support.requests import IMAGE
from tests.support.rest import Rest
from tests.support.waiting import eventually


async def clusters(site: Site, request: str) -> dict[str, dict[str, Any]]:
    """Return the clusters of a request: by provider, then by name."""
    body = (await Rest(site.rest).get(f"{CLUSTERS}?id={request}")).body
    return {
        provider: {each["cluster-name"]: each for each in found}
        for provider, found in body["targetData"].items()
    }


async def test_fault_7_the_removal_of_a_request_ends_no_run(
    site: Site, real_clusters: Sequence[RealCluster]
) -> None:
    rest = Rest(site.rest)
    target = await site.scene.discovery.target(real_clusters[0], clusterName="to be run on")
    request = await completed(site.rest)
    uuid = (await clusters(site, request))[OURS]["to be run on"]["targetUUID"]
    assert uuid == target["metadata"]["name"]
    [job] = await rest.run(uuid, scenarioImage=f"{IMAGE}-lasts-2s")
    await rest.job_when(job, "Running")
    assert (await rest.delete(f"{PATH}/{request}")).status == 200
    discovery = site.scene.discovery
    await eventually(lambda: discovery.secret(request), lambda found: found is None)
    assert (await rest.job_when(job))["status"] == "Succeeded"
    # Nor does one that comes later need the request.
    [later] = await rest.run(uuid)
    assert (await rest.job_when(later))["status"] == "Succeeded"
    await discovery.jobs.delete_target(target)


async def test_fault_12_one_request_serves_any_number_of_runs(
    site: Site, real_clusters: Sequence[RealCluster]
) -> None:
    rest, discovery = Rest(site.rest), site.scene.discovery
    target = await discovery.target(real_clusters[0], clusterName="to be run on")
    request = await completed(site.rest)
    before = await discovery.read(request), await discovery.secret(request)
    uuid = (await clusters(site, request))[OURS]["to be run on"]["targetUUID"]
    jobs = [job for _ in range(2) for job in await rest.run(uuid)]
    for job in jobs:
        assert (await rest.job_when(job))["status"] == "Succeeded"
    assert (await discovery.read(request), await discovery.secret(request)) == before
    await discovery.jobs.delete_target(target)


async def test_fault_9_two_clusters_of_one_name_are_not_taken_for_each_other(
    site: Site, real_clusters: Sequence[RealCluster]
) -> None:
    discovery = site.scene.discovery
    first = await discovery.target(real_clusters[0], clusterName="twin")
    request = await completed(site.rest)
    await discovery.merge_status(request, targetData={NAME: target_data(["twin"])})
    seen = await clusters(site, request)
    assert seen[OURS]["twin"]["targetUUID"] == first["metadata"]["name"]
    assert seen[NAME]["twin"]["targetUUID"] == ""

    # Another cluster takes the name: the old answer does not lead to it.
    await discovery.jobs.change_target(first, clusterName="renamed")
    second = await discovery.target(real_clusters[1], clusterName="twin")
    seen = await clusters(site, request)
    assert seen[OURS]["twin"]["targetUUID"] != second["metadata"]["name"]
    newer = await completed(site.rest)
    assert (await clusters(site, newer))[OURS]["twin"]["targetUUID"] == second["metadata"]["name"]
    for target in (first, second):
        await discovery.jobs.delete_target(target)
