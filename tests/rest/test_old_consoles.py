"""What the consoles of krkn-operator of early 2026 send and read, call by call, through Envoy.

The API layer is that of 46d0322, the target screens are those of 518f5c2. Such a console polls
GET /targets/{uuid} before anything else, and reads of an error its `message` alone. Its logs come
over a WebSocket, which is not served here.
"""

import base64
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import aiohttp
import pytest_asyncio

from deploy.local.cluster.control_plane import ControlPlane
from krkn_grpc.resources.names import PROVIDER
from tests.conftest import StartServices
from tests.support.requests import kubeconfig_target, unused_name
from tests.support.running import Wanted
from tests.support.waiting import eventually

ORIGIN = "https://console.example"
API = "/api/v1"
TARGETS = f"{API}/operator/targets"
# What the console shows of a job; a status beside these it shows in grey.
KNOWN = {"Pending", "Running", "Succeeded", "Failed", "Stopped", "Stopping"}


@dataclass(frozen=True)
class Answer:
    """What a browser's fetch gives the console."""

    status: int
    body: Any

    @property
    def is_ok(self) -> bool:
        return 200 <= self.status < 300


@dataclass(frozen=True)
class Console:
    """Sends what the console sends: its origin with every call, a content type with some."""

    session: aiohttp.ClientSession

    async def fetch(
        self, method: str, path: str, body: Any = None, *, is_json: bool = True
    ) -> Answer:
        headers = {"origin": ORIGIN} | ({"content-type": "application/json"} if is_json else {})
        async with self.session.request(method, path, json=body, headers=headers) as reply:
            # Otherwise the browser would hide the answer from the console.
            assert reply.headers["access-control-allow-origin"] == ORIGIN
            return Answer(reply.status, await reply.json())

    async def ready_cluster(self, name: str) -> dict[str, str]:
        """The first screens: a request for targets, its completion, its clusters."""
        asked = await self.fetch("POST", f"{API}/targets")
        assert asked.is_ok, asked
        polled = await self.fetch("GET", f"{API}/targets/{asked.body['uuid']}", is_json=False)
        assert polled.status == 200, "the console knows 200, 100 and 404 only"
        found = await self.fetch("GET", f"{API}/clusters?id={asked.body['uuid']}")
        assert found.is_ok, found
        assert found.body["status"] == "Completed"
        clusters = {each["cluster-name"]: each for each in found.body["targetData"][PROVIDER]}
        cluster: dict[str, str] = clusters[name]
        return cluster


@pytest_asyncio.fixture
async def console(start_services: StartServices) -> AsyncIterator[Console]:
    services = await start_services(Wanted(environment={"KRKN_ALLOWED_ORIGINS": ORIGIN}))
    yield Console(services.rest)


async def registered(console: Console, control_plane: ControlPlane) -> tuple[str, str]:
    """Register a cluster on the target screens and wait until it is ready; its name and uuid."""
    name, text = unused_name(), control_plane.admin_kubeconfig.read_bytes()
    body = kubeconfig_target(clusterName=name, kubeconfig=base64.b64encode(text).decode())
    made = await console.fetch("POST", TARGETS, body)
    assert made.is_ok, made
    target_uuid: str = made.body["uuid"]
    path = f"{TARGETS}/{target_uuid}"

    async def target() -> Answer:
        return await console.fetch("GET", path, is_json=False)

    await eventually(target, lambda shown: bool(shown.body["ready"]))
    return name, target_uuid


async def test_a_scenario_from_the_first_screen_to_its_end(
    console: Console, target_cluster: ControlPlane
) -> None:
    name, target_uuid = await registered(console, target_cluster)
    cluster = await console.ready_cluster(name)
    assert cluster["targetUUID"] == target_uuid
    assert cluster["cluster-api-url"].startswith("https://")

    listed = await console.fetch("POST", f"{API}/scenarios", {})
    assert listed.is_ok, listed
    [scenario] = [each for each in listed.body["scenarios"] if each["name"] == "pod-scenarios"]
    assert scenario.keys() >= {"name", "digest", "size"}

    shown = quote(scenario["name"])
    detail = await console.fetch("POST", f"{API}/scenarios/detail/{shown}", {})
    assert detail.body.keys() >= {"name", "title", "description", "digest", "size", "fields"}
    for field in detail.body["fields"]:
        assert field.keys() >= {"name", "variable", "type", "description", "short_description"}
    global_fields = await console.fetch("POST", f"{API}/scenarios/globals/{shown}", {})
    assert global_fields.is_ok, global_fields

    # The form sends every default, that of the kubeconfig too.
    fields = detail.body["fields"] + global_fields.body["fields"]
    defaults = {
        field["variable"]: field["default"]
        for field in fields
        if field.get("variable") and field.get("default") and field["type"] != "file"
    }
    path = "/home/krkn/.kube/config"
    run = await console.fetch(
        "POST",
        f"{API}/scenarios/run",
        {
            "targetUUIDs": [cluster["targetUUID"]],
            "scenarioImage": "quay.io/krkn-chaos/krkn-hub:pod-scenarios",
            "scenarioName": scenario["name"],
            "kubeconfigPath": path,
            "environment": defaults | {"KRKN_KUBE_CONFIG": path},
            "files": [
                {
                    "name": "notes.yaml",
                    "content": base64.b64encode(b"a: 1\n").decode(),
                    "mountPath": "/tmp/notes.yaml",
                }
            ],
        },
    )
    assert run.is_ok, run
    assert (run.body["totalTargets"], run.body["failedJobs"]) == (1, 0)
    [job] = run.body["jobs"]
    assert job["success"]

    status_path = f"{API}/scenarios/run/{quote(job['jobId'])}"

    async def polled() -> str:
        reply = await console.fetch("GET", status_path, is_json=False)
        status: str = reply.body["status"]
        assert status in KNOWN
        return status

    assert await eventually(polled, lambda status: status in {"Succeeded", "Failed"}) == "Succeeded"
    jobs = await console.fetch("GET", f"{API}/scenarios/run", is_json=False)
    assert job["jobId"] in [each["jobId"] for each in jobs.body["jobs"]]


async def test_a_job_is_cancelled(console: Console, target_cluster: ControlPlane) -> None:
    _, target_uuid = await registered(console, target_cluster)
    run = await console.fetch(
        "POST",
        f"{API}/scenarios/run",
        {
            "targetUUIDs": [target_uuid],
            "scenarioImage": "registry.example/krkn-hub:never-ends",
            "scenarioName": "pod-scenarios",
        },
    )
    path = f"{API}/scenarios/run/{run.body['jobs'][0]['jobId']}"
    cancelled = await console.fetch("DELETE", path, is_json=False)
    assert cancelled.is_ok, cancelled

    async def shown() -> Answer:
        return await console.fetch("GET", path, is_json=False)

    await eventually(shown, lambda reply: bool(reply.body["status"] == "Stopped"))


async def test_the_target_screens(console: Console, target_cluster: ControlPlane) -> None:
    name, target_uuid = await registered(console, target_cluster)
    listed = await console.fetch("GET", TARGETS, is_json=False)
    [shown] = [each for each in listed.body["targets"] if each["uuid"] == target_uuid]
    assert (shown["clusterName"], shown["secretType"]) == (name, "kubeconfig")
    again = kubeconfig_target(clusterName=unused_name())
    path = f"{TARGETS}/{target_uuid}"
    changed = await console.fetch("PUT", path, again)
    assert (changed.status, changed.body["uuid"]) == (200, target_uuid)
    deleted = await console.fetch("DELETE", path, is_json=False)
    assert deleted.status == 200
    gone = await console.fetch("GET", path, is_json=False)
    assert (gone.status, gone.body["message"]) == (404, "there is no such target")


async def test_the_console_is_told_what_is_wrong(console: Console) -> None:
    """It shows the `message`, and repeats GET /clusters while it is refused."""
    unknown = uuid.uuid4()
    for method, path, body, status in (
        ("GET", f"{API}/targets/{unknown}", None, 404),
        ("GET", f"{API}/clusters?id={unknown}", None, 404),
        ("GET", f"{API}/clusters?id=", None, 400),
        ("POST", f"{API}/scenarios/detail/no-such-scenario", {}, 404),
        ("POST", f"{API}/scenarios", {"registryUrl": "registry.example"}, 400),
        ("POST", f"{API}/scenarios/run", {"targetUUIDs": []}, 400),
        ("GET", f"{API}/scenarios/run/{unknown}", None, 404),
    ):
        reply = await console.fetch(method, path, body)
        assert (reply.status, bool(reply.body["message"])) == (status, True), (path, reply)
