"""Whatever passes our checks, the API server takes: jobs, their Secrets, and their pods.

Nothing is stored: every write is a dry run, by the account that makes it in earnest.
"""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest
import pytest_asyncio
from hypothesis import HealthCheck, assume, given, settings

from controller.jobs.pod import kubeconfig_secret, pod
from controller.scenario_pods.rules import PodRules
from deploy.local.cluster.api import Cluster
from deploy.local.cluster.control_plane import ControlPlane
from krkn_grpc.resources.credential_secret import Credential
from krkn_grpc.resources.kubeconfig import from_token, render
from krkn_grpc.resources.meta import ObjectMeta, Resource
from krkn_grpc.server.errors import InvalidRequest
from krkn_grpc.server.runs import builders, validate
from krkn_grpc.server.runs.model import Run
from krkn_grpc.v1 import scenario_runs_pb2 as pb
from tests.support.accounts import acting_as, until_bound
from tests.support.running import make_namespace, remove_namespace
from tests.support.waiting import eventually
from tests.unit.server.runs.any_request import requests
from tests.unit.server.runs.requests import (
    A_CHAOS_RUN,
    ALL_IMAGES,
    EVERYWHERE,
    a_file,
    a_run,
    a_target,
)
from tests.unit.server.runs.test_validate import LONGEST_IMAGE, UNUSUAL

RESTRICTED = {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "restricted"}}}


@dataclass(frozen=True)
class Writers:
    """Calls as the server and as the controller, in a namespace with Pod Security `restricted`."""

    namespace: str
    server: Cluster
    controller: Cluster

    async def write(self, run: Run) -> None:
        """Write all that the run means for one target; the API server must take it."""
        job = builders.job(run, a_target(), A_CHAOS_RUN, str(uuid.uuid4()), "alice")
        stored = builders.chaos_run(
            run,
            ObjectMeta(name=str(uuid.uuid4())),
            A_CHAOS_RUN.spec.targets,
            A_CHAOS_RUN.spec.refused,
            fingerprint="f",
            idempotency_seconds=60,
            default_ttl_seconds=None,
            caller="alice",
        )
        by_controller = (
            kubeconfig_secret(job, Credential(render(from_token("https://a.example", "abc")))),
            pod(job, PodRules()),
        )
        await asyncio.gather(
            *(
                self._create(self.server, each)
                for each in (stored, job, *builders.secrets(run, job))
            ),
            *(self._create(self.controller, each) for each in by_controller),
        )

    async def _create(self, cluster: Cluster, resource: Resource) -> None:
        api_version, kind, plural = resource.KIND
        body: dict[str, Any] = json.loads(msgspec.json.encode(resource))
        body |= {"apiVersion": api_version, "kind": kind}
        body["metadata"].pop("namespace", None)
        for owner in body["metadata"].get("ownerReferences", ()):
            owner["uid"] = str(uuid.uuid4())  # the job's own, had it been stored
        group = "/apis" if "/" in api_version else "/api"
        path = f"{group}/{api_version}/namespaces/{self.namespace}/{plural}"
        await cluster.request("POST", path, body, dryRun="All", fieldValidation="Strict")


@pytest_asyncio.fixture(scope="module")
async def writers(control_plane: ControlPlane) -> AsyncIterator[Writers]:
    cluster, name = control_plane.cluster, f"test-{uuid.uuid4().hex[:8]}"
    await make_namespace(cluster, name)
    await cluster.request(
        "PATCH", f"/api/v1/namespaces/{name}", RESTRICTED, "application/merge-patch+json"
    )

    async def accounts() -> set[str]:
        listed = await cluster.request("GET", f"/api/v1/namespaces/{name}/serviceaccounts")
        return {account["metadata"]["name"] for account in listed["items"]}

    await eventually(accounts, lambda names: "default" in names)
    async with (
        acting_as(control_plane, name, "krkn-grpc-server") as server,
        acting_as(control_plane, name, "krkn-grpc-controller") as controller,
    ):
        await until_bound(server, name)
        await until_bound(controller, name)
        yield Writers(name, server, controller)
    await remove_namespace(cluster, name)


EXTREMES: dict[str, dict[str, Any]] = {
    "the least": {},
    "every option": {
        "kubeconfig_path": "/k",
        "environment": {"A": "$(B)", "B_TOKEN": "t"},
        "secret_environment": {"C": "s"},
        "files": [a_file()],
        "registry_url": "https://r.example:5000/v2/",
        "username": "u",
        "password": "p",
        "request_id": str(uuid.uuid4()),
        "timeout_seconds": 1,
        "ttl_seconds_after_finished": 0,
        "labels": {"example.com/team": "a"},
        "skip_tls": True,
    },
    "the longest image": {"scenario_image": LONGEST_IMAGE},
    "names of unusual characters": {
        "scenario_name": UNUSUAL,
        "files": [a_file(name=f"a/b {UNUSUAL}", mount_path=f"/mnt/{UNUSUAL}")],
        "kubeconfig_path": f"/{UNUSUAL}",
    },
    "the longest name": {"scenario_name": "\N{ROCKET}" * 253},
    "a name that leaves no label": {"scenario_name": "..."},
    "the longest paths": {
        "kubeconfig_path": "/" + "k" * 4095,
        "files": [a_file(mount_path="/" + "f" * 4095)],
    },
    "a path of any letters": {"files": [a_file(mount_path="/ä ö/$(X)/\N{ROCKET}")]},
    "16 files": {
        "files": [a_file(name="x" * 253, mount_path=f"/f/{number}") for number in range(16)]
    },
    "a large environment": {"environment": {f"A{number}": "x" * 20 for number in range(2000)}},
    "one large variable": {"environment": {"A": "x" * 65_000}},
    "a large secret environment": {
        "secret_environment": {f"A{number}": "x" * 20 for number in range(2000)}
    },
    "the longest variables": {
        "environment": {"a" * 200: ""},
        "secret_environment": {"b" * 200: ""},
    },
    "variables with strange names": {"environment": {"-": "", "_": "", ".a": "", "a..b": ""}},
    "the longest labels": {"labels": {f"{'p' * 253}/{'n' * 63}": "v" * 63}},
    "64 labels": {"labels": {f"l{number}": "" for number in range(64)}},
    "the longest time": {"timeout_seconds": 86_400, "ttl_seconds_after_finished": 2**31 - 1},
    "the longest login": {
        "registry_url": "r.example/" + "a" * 2000,
        "username": "\N{ROCKET}" * 8000,
        "token": "\N{ROCKET}" * 8000,
    },
}


@pytest.mark.parametrize("case", EXTREMES)
async def test_extremes_are_taken(writers: Writers, case: str) -> None:
    await writers.write(a_run(**EXTREMES[case]))


@given(request_=requests)
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.filter_too_much,
        HealthCheck.function_scoped_fixture,
    ],
)
async def test_anything_that_passes_is_taken(
    writers: Writers, request_: pb.RunScenarioRequest
) -> None:
    try:
        run = validate.run(request_, ALL_IMAGES, EVERYWHERE)
    except InvalidRequest:
        assume(False)
    else:
        await writers.write(run)
