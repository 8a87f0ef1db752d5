"""The catalogue through the real Envoy: listed, shown, and applied to runs."""

import json
import string
import uuid
from typing import Any

import pytest

from tests.support.custom_objects import JOBS, collection
from tests.support.requests import a_run
from tests.support.rest import RUNS, Reply, Rest, assert_error, assert_invalid
from tests.support.running import Running

SCENARIOS = "/api/v1/scenarios"
IMAGE = "quay.io/krkn-chaos/krkn-hub:pod-scenarios"
ALL_PATHS = [SCENARIOS, f"{SCENARIOS}/detail/pod-scenarios", f"{SCENARIOS}/globals/pod-scenarios"]
# What clients read of a parameter.
FIELD = {
    *("name", "short_description", "description", "variable", "type", "required", "validator"),
    *("validation_message", "separator", "allowed_values", "mount_path", "requires"),
    *("mutually_excludes", "secret", "group"),
}


async def send(rest: Rest, path: str, data: bytes | None, **headers: str) -> Reply:
    """POST these bytes, with just these headers."""
    skipped = () if "content_type" in headers else ("content-type",)
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    async with rest.session.post(
        path, data=data, headers=given, skip_auto_headers=skipped
    ) as reply:
        return Reply(reply.status, reply.headers, await reply.text())


async def test_the_list_is_by_name_and_says_what_consoles_read(rest: Rest) -> None:
    reply = await rest.get(SCENARIOS)
    assert reply.status == 200
    scenarios = reply.body["scenarios"]
    names = [each["name"] for each in scenarios]
    assert names == sorted(names)
    assert len(names) == 27
    assert "rollback" not in names
    assert all(each.keys() == {"name", "title", "digest", "size"} for each in scenarios)
    assert {(each["digest"], each["size"]) for each in scenarios} == {("", 0)}
    assert all(each["title"] for each in scenarios)


async def test_a_scenario_and_its_parameters(rest: Rest) -> None:
    reply = await rest.get(f"{SCENARIOS}/detail/pod-scenarios")
    assert reply.status == 200
    shown = reply.body
    assert shown.pop("title")
    assert shown.pop("description")
    fields = shown.pop("fields")
    assert shown == {
        "name": "pod-scenarios",
        "digest": "",
        "size": 0,
        "image": IMAGE,
        "kubeconfigPath": "/home/krkn/.kube/config",
        "rollback": False,
        "source": "built-in",
    }
    assert all(field.keys() - {"default"} == FIELD for field in fields)
    by_variable = {field["variable"]: field for field in fields}
    assert by_variable["DISRUPTION_COUNT"]["default"] == "1"
    assert by_variable["EXECUTION"]["allowed_values"] == "serial,parallel"
    assert by_variable["FORCE"]["required"] is False


async def test_the_global_parameters(rest: Rest) -> None:
    reply = await rest.get(f"{SCENARIOS}/globals/pod-scenarios")
    assert reply.status == 200
    assert reply.body["name"] == "pod-scenarios"
    by_variable = {field["variable"]: field for field in reply.body["fields"]}
    assert by_variable["ES_USERNAME"]["secret"] is True
    assert by_variable["WAIT_DURATION"]["secret"] is False
    assert by_variable["WAIT_DURATION"]["group"] == "tunings"
    # Consoles send the default of every parameter, and the service sets this one.
    assert "KRKN_KUBE_CONFIG" not in by_variable


@pytest.mark.parametrize("path", ALL_PATHS)
async def test_a_post_is_answered_as_a_get(rest: Rest, path: str) -> None:
    wanted = (await rest.get(path)).body
    nothing = {"registryUrl": "", "username": "", "password": "", "token": "", "skipTls": False}
    for body in ({}, nothing):
        assert (await rest.post(path, body)).body == wanted
    json_type = "application/json"
    for reply in (
        await send(rest, path, None),
        await send(rest, path, None, content_type=json_type),
        await send(rest, path, b"", content_type=json_type),
        await send(rest, path, json.dumps({}).encode(), content_type=json_type),
    ):
        assert (reply.status, reply.body) == (200, wanted)


@pytest.mark.parametrize("path", ALL_PATHS)
@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("registryUrl", "quay.io"), ("scenarioRepository", "team/scenarios"), ("username", "u")),
        *(("password", "p"), ("token", "t"), ("skipTls", True), ("insecure", True)),
    ],
)
async def test_the_catalogue_of_a_registry_is_refused(
    rest: Rest, path: str, field: str, value: object
) -> None:
    refused = await rest.post(path, {field: value})
    assert_invalid(refused, field)
    assert "is not served" in refused.body["message"]
    # In a query a credential would be logged on its way.
    assert_invalid(await rest.get(f"{path}?{field}=x"), field)


@pytest.mark.parametrize("path", ALL_PATHS)
async def test_what_is_no_such_body_is_refused(rest: Rest, path: str) -> None:
    assert_invalid(await rest.post(path, {"registryURL": "x"}), "registryURL")
    assert (await send(rest, path, b"{}")).status == 415
    assert (await send(rest, path, b"x", content_type="application/json")).status == 400
    assert (await send(rest, path, b"[]", content_type="application/json")).status == 400


@pytest.mark.parametrize("name", ["nothing", "Pod-Scenarios", "rollback", "a.json"])
@pytest.mark.parametrize("kind", ["detail", "globals"])
async def test_an_unknown_name_is_not_found(rest: Rest, kind: str, name: str) -> None:
    for reply in (
        await rest.get(f"{SCENARIOS}/{kind}/{name}"),
        await rest.post(f"{SCENARIOS}/{kind}/{name}", {}),
    ):
        assert_error(reply, 404, 5, "NOT_FOUND")


async def test_a_name_is_enough(rest: Rest, shared_services: Running) -> None:
    target = await rest.register()
    reply = await rest.post(RUNS, {"targetUUIDs": [target], "scenarioName": "pod-scenarios"})
    assert (reply.status, reply.body["successfulJobs"]) == (201, 1), reply
    spec = await spec_of(shared_services, reply.body["jobs"][0]["jobId"])
    assert spec["scenarioImage"] == IMAGE
    assert spec["kubeconfigPath"] == "/home/krkn/.kube/config"
    assert "environment" not in spec


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("pod-scenario", "did you mean pod-scenarios?"),
        ("something-else", "the catalogue has no scenario of this name"),
        ("rollback", "the catalogue has no scenario of this name"),
    ],
)
async def test_an_unknown_name_needs_an_image(rest: Rest, name: str, message: str) -> None:
    body = {"targetUUIDs": [str(uuid.uuid4())], "scenarioName": name}
    refused = await rest.post(RUNS, body)
    assert_invalid(refused, "scenarioImage")
    assert message in refused.body["message"]


@pytest.mark.parametrize("image", ["", IMAGE, IMAGE.replace("krkn-hub:", "krkn-hub-multiarch:")])
async def test_wrong_parameters_start_nothing(rest: Rest, image: str) -> None:
    target = await rest.register()
    environment = {
        "NAMESPCE": "shop",
        "DISRUPTION_COUNT": "many",
        "EXECUTION": "both",
        "FORCE": "perhaps",
        "ES_USRNAME": "canary",
        "LOG_LEVEL": "passes",
    }
    body = a_run(target, scenarioImage=image, environment=environment)
    refused = await rest.post(RUNS, body | {"secretEnvironment": {"CERBERUS_URL": "canary"}})
    assert_invalid(
        refused,
        *(f"environment[{name}]" for name in sorted(environment) if name != "LOG_LEVEL"),
        "secretEnvironment[CERBERUS_URL]",
    )
    assert "did you mean NAMESPACE?" in refused.text
    assert "canary" not in refused.text
    assert (await rest.get(f"{RUNS}?targetUUID={target}")).body["jobs"] == []


async def test_what_is_required_must_be_given(rest: Rest) -> None:
    target = await rest.register()
    body = {"targetUUIDs": [target], "scenarioName": "pod-network-filter"}
    refused = await rest.post(RUNS, body)
    fields = ("INGRESS", "EGRESS", "PORTS")
    assert_invalid(refused, *(f"environment[{name}]" for name in fields))
    environment = {"INGRESS": "true", "EGRESS": "false", "PORTS": "80,443"}
    assert (await rest.post(RUNS, body | {"environment": environment})).status == 201


async def test_other_images_are_not_checked(rest: Rest) -> None:
    target = await rest.register()
    await rest.run(target, environment={"NAMESPCE": "shop", "DISRUPTION_COUNT": "many"})


async def test_many_wrong_parameters_are_counted_and_20_are_listed(rest: Rest) -> None:
    environment = {
        f"TELEMETRY_USERNAM{letter}": "x" for letter in string.ascii_uppercase if letter != "E"
    }
    body = a_run(str(uuid.uuid4()), scenarioImage="", environment=environment)
    refused = await rest.post(RUNS, body)
    assert refused.status == 400
    assert "(and 24 more, 25 in all)" in refused.body["message"]
    [violations] = [each for each in refused.body["details"] if "fieldViolations" in each]
    assert len(violations["fieldViolations"]) == 20


async def test_the_default_of_every_parameter_can_be_sent_as_consoles_do(rest: Rest) -> None:
    target = await rest.register()
    names = [each["name"] for each in (await rest.get(SCENARIOS)).body["scenarios"]]
    for name in names:
        fields = [
            *(await rest.get(f"{SCENARIOS}/detail/{name}")).body["fields"],
            *(await rest.get(f"{SCENARIOS}/globals/{name}")).body["fields"],
        ]
        environment = {
            field["variable"]: field["default"] for field in fields if "default" in field
        }
        environment["KRKN_KUBE_CONFIG"] = "/home/krkn/.kube/config"
        missing = [field for field in fields if field["required"] and not field.get("default")]
        body = {"targetUUIDs": [target], "scenarioName": name, "environment": environment}
        reply = await rest.post(RUNS, body | {"validateOnly": True})
        if missing:
            assert_invalid(reply, *(f"environment[{field['variable']}]" for field in missing))
        else:
            assert (reply.status, "message" in reply.body) == (200, False), reply


@pytest.mark.parametrize("path", ["", "/mnt/config"])
async def test_the_path_of_the_kubeconfig_may_be_said_twice(
    rest: Rest, shared_services: Running, path: str
) -> None:
    target = await rest.register()
    said = path or "/home/krkn/.kube/config"
    body = a_run(target, kubeconfigPath=path)
    reply = await rest.post(RUNS, body | {"environment": {"KRKN_KUBE_CONFIG": said, "A": "b"}})
    assert reply.status == 201
    spec = await spec_of(shared_services, reply.body["jobs"][0]["jobId"])
    assert (spec["kubeconfigPath"], spec["environment"]) == (said, {"A": "b"})
    other = {"KRKN_KUBE_CONFIG": "/elsewhere"}
    assert_invalid(
        await rest.post(RUNS, body | {"environment": other}), "environment[KRKN_KUBE_CONFIG]"
    )


async def test_a_repeated_call_without_image_is_the_same_call(rest: Rest) -> None:
    target = await rest.register()
    body = {"targetUUIDs": [target], "scenarioName": "pod-scenarios"}
    again = body | {"requestId": str(uuid.uuid4())}
    first, second = await rest.post(RUNS, again), await rest.post(RUNS, again)
    assert first.body["jobs"][0]["jobId"] == second.body["jobs"][0]["jobId"]


async def spec_of(services: Running, job_id: str) -> dict[str, Any]:
    """The spec of a job's resource."""
    path = f"{collection(JOBS, services.namespace)}/{job_id}"
    spec: dict[str, Any] = (await services.cluster.request("GET", path))["spec"]
    return spec
