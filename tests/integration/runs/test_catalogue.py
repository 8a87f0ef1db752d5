"""An administrator's folder of scenarios, on a server of its own, and the modes of the check."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import StartServices
from tests.support.custom_objects import JOBS, collection
from tests.support.requests import IMAGE, a_run, canary
from tests.support.rest import RUNS, Rest, assert_invalid
from tests.support.running import Running, Wanted
from tests.support.waiting import eventually

SCENARIOS = "/api/v1/scenarios"
HUB = "quay.io/krkn-chaos/krkn-hub:pod-scenarios"
OWN = "registry.example/own:lasts-0s"


def a_field(variable: str, **changes: Any) -> dict[str, Any]:
    """A field in krkn-hub's format."""
    return {"name": variable.lower(), "variable": variable, "type": "string"} | changes


def mounted(folder: Path, version: str, **entries: object) -> None:
    """Write entries as the kubelet mounts a ConfigMap: behind a link that it swaps."""
    data = folder / f"..{version}"
    data.mkdir(parents=True)
    for name, content in entries.items():
        text = content if isinstance(content, str) else json.dumps(content)
        (data / f"{name}.json").write_text(text)
    (folder / "..next").symlink_to(data.name)
    (folder / "..next").rename(folder / "..data")
    for name in entries:
        link = folder / f"{name}.json"
        if not link.is_symlink():
            link.symlink_to(f"..data/{name}.json")


async def spec_of(services: Running, job_id: str) -> dict[str, Any]:
    """The spec of a job's resource."""
    path = f"{collection(JOBS, services.namespace)}/{job_id}"
    spec: dict[str, Any] = (await services.cluster.request("GET", path))["spec"]
    return spec


async def with_catalogue(start_services: StartServices, folder: Path, **settings: str) -> Running:
    """Start services that read this folder."""
    told = {"KRKN_CATALOGUE_DIR": str(folder)} | settings
    return await start_services(Wanted(controller=False, environment=told))


async def test_a_changed_folder_is_read_and_a_bad_file_is_skipped(
    start_services: StartServices, tmp_path: Path
) -> None:
    folder = tmp_path / "catalogue"
    plain = [a_field("SIZE", type="number", required="true")]
    mounted(folder, "1", mine={"title": "Mine", "image": OWN, "fields": plain}, broken="{")
    services = await with_catalogue(start_services, folder)
    rest = Rest(services.rest)
    names = [each["name"] for each in (await rest.get(SCENARIOS)).body["scenarios"]]
    assert "mine" in names
    assert "broken" not in names
    assert len(names) == 28
    shown = (await rest.get(f"{SCENARIOS}/detail/mine")).body
    assert (shown["title"], shown["image"], shown["source"]) == ("Mine", OWN, "administrator")

    # Its own image is checked by the default of the setting.
    target = await rest.register()
    assert_invalid(
        await rest.post(RUNS, {"targetUUIDs": [target], "scenarioName": "mine"}),
        "environment[SIZE]",
    )
    job_id = (
        await rest.run(target, scenarioName="mine", scenarioImage="", environment={"SIZE": "1"})
    )[0]
    assert (await spec_of(services, job_id))["scenarioImage"] == OWN

    mounted(folder, "2", mine=plain, broken=plain)
    (folder / "gone.json").symlink_to("nothing")
    path = f"{SCENARIOS}/detail/broken"
    await eventually(lambda: rest.get(path), lambda reply: reply.status == 200)
    assert (await rest.get(f"{SCENARIOS}/detail/mine")).body["image"] == ""
    refused = await rest.post(RUNS, {"targetUUIDs": [target], "scenarioName": "mine"})
    assert_invalid(refused, "scenarioImage", "environment[SIZE]")
    log = (services.processes.logs / "server.log").read_text()
    assert "broken.json" in log
    assert "gone.json" in log


async def test_what_an_entry_calls_secret_is_one_and_stays_one(
    start_services: StartServices, tmp_path: Path
) -> None:
    folder, secret = tmp_path / "catalogue", canary()
    hub = [a_field("FLAVOUR", secret="true"), a_field("SECRET_STRING", secret="false")]
    mounted(folder, "1", **{"dummy-scenario": hub}, mine=[a_field("FLAVOUR")])
    services = await with_catalogue(start_services, folder, KRKN_CHECK_ENVIRONMENT="off")
    rest = Rest(services.rest)
    target = await rest.register()
    given = {"FLAVOUR": secret, "SECRET_STRING": secret, "SIZE": "1"}
    [job_id] = await rest.run(target, scenarioName="dummy-scenario", environment=given)
    spec = await spec_of(services, job_id)
    assert spec["environment"] == {"SIZE": "1"}
    assert spec["secretEnvironment"] == ["FLAVOUR", "SECRET_STRING"]
    assert secret not in str(spec)
    # Of another scenario, the same name is public.
    [other] = await rest.run(target, scenarioName="mine", environment={"FLAVOUR": "sweet"})
    assert (await spec_of(services, other))["environment"] == {"FLAVOUR": "sweet"}


async def test_an_entry_allows_no_image(start_services: StartServices, tmp_path: Path) -> None:
    folder = tmp_path / "catalogue"
    mounted(folder, "1", mine={"image": OWN, "fields": []})
    services = await with_catalogue(start_services, folder, KRKN_ALLOWED_IMAGES="quay.io")
    rest = Rest(services.rest)
    target = await rest.register()
    refused = await rest.post(RUNS, {"targetUUIDs": [target], "scenarioName": "mine"})
    assert_invalid(refused, "scenarioImage")
    assert "is not among the images" in refused.body["message"]


@pytest.mark.parametrize(
    ("mode", "of_hub", "of_others"),
    [("warn", 200, 200), ("off", 200, 200), ("enforce", 400, 400), ("", 400, 200)],
)
async def test_the_modes_of_the_check(
    start_services: StartServices, tmp_path: Path, mode: str, of_hub: int, of_others: int
) -> None:
    services = await with_catalogue(
        start_services, tmp_path / "nothing", KRKN_CHECK_ENVIRONMENT=mode
    )
    rest = Rest(services.rest)
    target = await rest.register()
    for image, status in ((HUB, of_hub), (IMAGE, of_others)):
        body = a_run(target, scenarioImage=image, environment={"NAMESPCE": "x"}, validateOnly=True)
        reply = await rest.post(RUNS, body)
        assert reply.status == status, reply
        assert ("NAMESPACE" in reply.text) == (mode == "warn" or status == 400)
