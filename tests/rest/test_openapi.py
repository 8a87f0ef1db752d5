"""What the service says of itself in the OpenAPI document, held against what it does."""

import json
import os
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import jsonschema_rs
import pytest
import pytest_asyncio
import schemathesis

# pytest parses these large modules when they are imported. In Python 3.11 that may fail while
# another thread parses, so they are imported here and not by the first test that needs them.
import schemathesis.specs.openapi.schemas

from deploy.local.cluster.control_plane import ControlPlane
from deploy.local.services import REPOSITORY
from krkn_grpc.edge.direct_responses import DOCUMENT_PATH
from tests.support.accounts import make_account
from tests.support.alerts import PATH as ALERTS
from tests.support.alerts import a_notification, an_alert
from tests.support.requests import a_run, kubeconfig_target, token_target
from tests.support.rest import RUNS, TARGETS
from tests.support.running import Wanted, make_namespace, remove_namespace, running
from tests.support.waiting import eventually

FUZZING = Path(__file__).with_name("fuzzing")
# For each call, in each of schemathesis' phases; `make fuzz` asks for more.
EXAMPLES = int(os.environ.get("KRKN_FUZZ_EXAMPLES", "10"))
SECONDS = 90 + 10 * EXAMPLES
WHO = "fuzzer"


class Documented:
    """Calls as an account that may do everything; each reply must be one that the document has."""

    def __init__(self, rest_url: str, token: str) -> None:
        self.token = token
        headers = {"Authorization": f"Bearer {token}"}
        self.session = httpx.Client(base_url=rest_url, headers=headers, timeout=60)
        self.document_url = rest_url + DOCUMENT_PATH
        self._document = schemathesis.openapi.from_url(self.document_url)

    def __call__(self, verb: str, path: str, template: str = "", **options: Any) -> Any:
        """Return status and JSON of a reply; `template` is the document's path if it has names."""
        reply = self.session.request(verb, path, **options)
        self._document[template or path][verb].validate_response(reply)
        return reply.status_code, reply.json()

    def fits(self, value: object, schema: str) -> bool:
        """Say whether a value is what one of the document's schemas describes."""
        components = self._document.raw_schema["components"]
        reference = {"$ref": f"#/components/schemas/{schema}", "components": components}
        return jsonschema_rs.is_valid(reference, value)


@pytest_asyncio.fixture(scope="module")
async def documented(
    control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Documented]:
    """Services that ask who calls, for this file alone: what fuzzing leaves is in nobody's way."""
    namespace = f"test-{uuid.uuid4().hex[:8]}"
    cluster = control_plane.cluster
    await make_namespace(cluster, namespace)
    wanted = Wanted(environment={"KRKN_AUTH": "kubernetes", "KRKN_AUTH_CACHE_SECONDS": "1"})
    try:
        folder = tmp_path_factory.mktemp("documented")
        async with running(cluster, namespace, folder, wanted) as started:
            await make_account(
                cluster, namespace, WHO, "krkn-runner", "krkn-target-admin", "krkn-alerter"
            )
            token = await cluster.token(namespace, WHO, seconds=3600, audiences=["krkn-grpc"])
            calls = Documented(started.processes.rest_url, token)

            async def listed() -> int:
                return calls.session.get(TARGETS).status_code

            await eventually(listed, lambda status: status == 200)
            yield calls
            calls.session.close()
    finally:
        await remove_namespace(cluster, namespace)


def test_replies_are_as_documented(documented: Documented) -> None:
    one, by_id = f"{TARGETS}/{{uuid}}", f"{RUNS}/{{jobId}}"
    assert documented("GET", "/api/v1/health") == (200, {"status": "healthy"})
    status, created = documented("POST", TARGETS, json=token_target())
    assert status == 201
    target = f"{TARGETS}/{created['uuid']}"
    assert documented("GET", target, one)[0] == 200
    assert documented("GET", TARGETS)[0] == 200
    assert documented("PUT", target, one, json=kubeconfig_target())[0] == 200

    assert documented("POST", RUNS, json=a_run(created["uuid"], validateOnly=True))[0] == 200
    assert documented("POST", RUNS, json=a_run("nowhere"))[0] == 500
    status, run = documented("POST", RUNS, json=a_run(created["uuid"], "nowhere", skipTls=True))
    assert status == 201
    job = f"{RUNS}/{run['jobs'][0]['jobId']}"
    assert documented("GET", job, by_id)[0] == 200
    assert documented("DELETE", job, by_id)[0] == 200
    assert documented("GET", RUNS)[0] == 200
    assert documented("POST", ALERTS, json=a_notification(an_alert("X")))[0] == 200
    assert documented("DELETE", target, one)[0] == 200
    for part in ("", "/detail/{name}", "/globals/{name}"):
        path = f"/api/v1/scenarios{part}"
        shown = path.replace("{name}", "node-scenarios")
        assert documented("GET", shown, path)[0] == 200
        assert documented("POST", shown, path)[0] == 200


@pytest.mark.parametrize(
    ("verb", "path", "template", "options", "status"),
    [
        ("GET", f"{TARGETS}/nothing", f"{TARGETS}/{{uuid}}", {}, 404),
        ("GET", f"{RUNS}/nothing/logs", f"{RUNS}/{{jobId}}/logs", {}, 404),
        ("GET", f"{RUNS}:watch", "", {"params": {"status": "Odd"}}, 400),
        ("GET", RUNS, "", {"params": {"pageSize": "-1"}}, 400),
        ("GET", TARGETS, "", {"headers": {"Authorization": ""}}, 401),
        ("POST", RUNS, "", {"json": {"scenarioNme": "x"}}, 400),
        ("POST", RUNS, "", {"content": "x", "headers": {"Content-Type": "text/plain"}}, 415),
        ("POST", TARGETS, "", {"json": {"clusterName": "x" * 2_100_000}}, 413),
        ("POST", ALERTS, "", {"json": a_notification()}, 400),
        ("POST", ALERTS, "", {"json": a_notification(other="x" * 1_100_000)}, 413),
    ],
)
def test_refusals_are_as_documented(
    documented: Documented,
    verb: str,
    path: str,
    template: str,
    options: dict[str, Any],
    status: int,
) -> None:
    assert documented(verb, path, template, **options)[0] == status


def test_a_log_and_the_watches_are_as_documented(documented: Documented) -> None:
    _, created = documented("POST", TARGETS, json=token_target())
    _, run = documented("POST", RUNS, json=a_run(created["uuid"]))
    log = f"{RUNS}/{run['jobs'][0]['jobId']}/logs"
    reply = documented.session.get(log)
    assert (reply.status_code, reply.headers["content-type"]) == (200, "text/plain; charset=utf-8")
    for path, kind in ((RUNS, "WatchScenarioRunsResponse"), (TARGETS, "WatchTargetsResponse")):
        told = set()
        with documented.session.stream("GET", f"{path}:watch") as watch:
            assert watch.headers["content-type"] == "application/x-ndjson"
            for line in watch.iter_lines():
                message = json.loads(line)
                assert documented.fits(message, kind)
                told.add(message["type"])
                if message["type"] == "SYNCED":
                    break
        assert told == {"ADDED", "SYNCED"}


@pytest.mark.timeout(SECONDS + 10)
def test_nothing_that_can_be_asked_brings_it_down(documented: Documented, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "schemathesis.cli", "--no-color"]
    command += ["--config-file", str(FUZZING / "schemathesis.toml")]
    command += ["run", documented.document_url, "--max-examples", str(EXAMPLES)]
    command += ["--header", f"Authorization: Bearer {documented.token}"]
    command += ["--request-timeout", "20", "--max-failures", "20"]
    done = subprocess.run(
        command,
        cwd=REPOSITORY,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    # A body in a report may be megabytes long.
    said = "\n".join(line[:300] for line in (done.stdout + done.stderr).splitlines())
    assert done.returncode == 0, said
    assert documented("GET", "/api/v1/health")[0] == 200
