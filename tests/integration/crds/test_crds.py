"""The CRDs on a real API server: what they take, what they fill in and what they show."""

import dataclasses
from pathlib import Path

import msgspec
import pytest

from deploy.local.cluster.api import Cluster
from deploy.local.cluster.control_plane import ControlPlane
from deploy.local.cluster.credentials import of_kubeconfig
from krkn_grpc.resources.blackout import Blackout
from krkn_grpc.resources.chaos_job import ChaosJob
from krkn_grpc.resources.chaos_run import ChaosRun
from krkn_grpc.resources.halt import Halt
from krkn_grpc.resources.meta import API_VERSION, Resource
from krkn_grpc.resources.provider import Provider
from krkn_grpc.resources.target import Target
from krkn_grpc.resources.target_request import TargetRequest
from tests.support.custom_objects import (
    BLACKOUTS,
    HALTS,
    JOBS,
    LOGS,
    MERGE,
    PROVIDERS,
    REQUESTS,
    RUNS,
    TARGETS,
    Manifest,
    collection,
    schemas,
    store,
    whole,
)

TYPES: dict[str, type[Resource]] = {
    PROVIDERS: Provider,
    TARGETS: Target,
    REQUESTS: TargetRequest,
    HALTS: Halt,
    BLACKOUTS: Blackout,
    JOBS: ChaosJob,
    RUNS: ChaosRun,
}
# Fields that a type of their own reads; a test of the schemas compares them.
APART = {RUNS: {"claims"}}
SHORT_NAMES = {
    PROVIDERS: "kotp",
    TARGETS: "kot",
    REQUESTS: "ktr",
    HALTS: "kch",
    BLACKOUTS: "kcb",
    JOBS: "kcj",
    RUNS: "kcr",
}
DATES = {"Last heartbeat", "Completed", "Started", "Age"}
each_kind = pytest.mark.parametrize("plural", TYPES)


@each_kind
async def test_what_is_written_comes_back_whole(
    control_plane: ControlPlane, namespace: str, plural: str
) -> None:
    manifest = whole(plural)
    path = collection(plural, namespace)
    created = await control_plane.cluster.request("POST", path, manifest)
    assert created["spec"] == manifest["spec"]

    path += f"/{manifest['metadata']['name']}/status"
    status = {"status": manifest["status"]}
    written = await control_plane.cluster.request("PATCH", path, status, MERGE)
    assert written["status"] == manifest["status"]
    assert written["spec"] == manifest["spec"]


@each_kind
async def test_the_typed_resource_reads_and_writes_all_of_it(
    control_plane: ControlPlane, namespace: str, plural: str
) -> None:
    manifest = whole(plural)
    encoded = msgspec.to_builtins(msgspec.convert(manifest, TYPES[plural]))
    # The type leaves a default out and the schema fills it in: the same object comes back.
    encoded |= {"apiVersion": API_VERSION, "kind": manifest["kind"]}
    path = collection(plural, namespace)
    created = await control_plane.cluster.request("POST", path, encoded)
    assert created["spec"] == manifest["spec"]

    path += f"/{manifest['metadata']['name']}/status"
    status = {"status": encoded["status"]}
    written = await control_plane.cluster.request("PATCH", path, status, MERGE)
    apart = {name: manifest["status"].pop(name) for name in APART.get(plural, ())}
    assert apart.keys().isdisjoint(encoded["status"])
    assert written["status"] == manifest["status"]


@each_kind
def test_the_whole_object_sets_every_field_of_the_schema(plural: str) -> None:
    for part in ("spec", "status"):
        assert whole(plural)[part].keys() == schemas(plural)[part]["properties"].keys()


@pytest.mark.parametrize(
    ("plural", "spec", "status"),
    [
        pytest.param(PROVIDERS, {"active": True}, None, id="provider"),
        pytest.param(TARGETS, {"insecureSkipTLSVerify": False}, {"ready": False}, id="target"),
        pytest.param(REQUESTS, {}, None, id="target-request"),
        pytest.param(
            JOBS,
            {
                "kubeconfigPath": "/home/krkn/.kube/config",
                "pullSecret": False,
                "timeoutSeconds": 3600,
                "queueSeconds": 86400,
                "onBusy": "Wait",
                "stop": False,
            },
            {"phase": "Pending"},
            id="chaos-job",
        ),
        pytest.param(
            RUNS,
            {
                "idempotencySeconds": 86400,
                "kubeconfigPath": "/home/krkn/.kube/config",
                "timeoutSeconds": 3600,
                "requireReady": False,
                "maxParallel": 0,
                "abortRunning": False,
                "queueSeconds": 86400,
                "onBusy": "Wait",
            },
            {"phase": "Pending"},
            id="chaos-run",
        ),
    ],
)
async def test_what_is_left_out_gets_its_default(
    control_plane: ControlPlane,
    namespace: str,
    plural: str,
    spec: Manifest,
    status: Manifest | None,
) -> None:
    manifest = whole(plural)
    given = {name: manifest["spec"][name] for name in schemas(plural)["spec"]["required"]}
    path = collection(plural, namespace)
    await control_plane.cluster.request("POST", path, {**manifest, "spec": given})
    read = await control_plane.cluster.request("GET", f"{path}/{manifest['metadata']['name']}")
    assert read["spec"] == given | spec
    assert read.get("status") == status


@pytest.mark.parametrize("path", ["/...", "/a/.b", "/a../b.", "/process", "/a/proc", "/ä b"])
async def test_a_path_may_have_dots_and_any_letters(
    control_plane: ControlPlane, namespace: str, path: str
) -> None:
    files = [{"name": "a", "mountPath": path}]
    await store(control_plane.cluster, namespace, JOBS, files=files, kubeconfigPath=f"{path}/k")


@pytest.mark.parametrize(
    "name", ["本番\u3000クラスタ", "خوش\u200cد", "a\xa0b\xadc", "a/b: c", "a\u200eb"]
)
async def test_a_name_may_have_any_characters_that_can_be_shown(
    control_plane: ControlPlane, namespace: str, name: str
) -> None:
    await store(control_plane.cluster, namespace, TARGETS, clusterName=name)
    files = [{"name": name, "mountPath": "/mnt/a"}]
    await store(control_plane.cluster, namespace, JOBS, scenarioName=name, files=files)


async def test_what_the_schema_does_not_know_is_not_stored(
    control_plane: ControlPlane, namespace: str
) -> None:
    manifest = whole(JOBS)
    manifest["spec"]["password"] = "swordfish"
    created = await control_plane.cluster.request("POST", collection(JOBS, namespace), manifest)
    assert "password" not in created["spec"]


async def test_kubectl_knows_the_short_names(control_plane: ControlPlane) -> None:
    listed = (await control_plane.cluster.request("GET", f"/apis/{API_VERSION}"))["resources"]
    found = {kind["name"]: kind["shortNames"] for kind in listed if "shortNames" in kind}
    foreign = {"krknoperatortargetproviderconfigs": ["kotpc"]}  # only defined here
    without_status = {LOGS: ["kcjl"]}
    own = {plural: [short] for plural, short in SHORT_NAMES.items()}
    assert found == foreign | own | without_status
    has_status = found.keys() - without_status.keys()
    assert {f"{plural}/status" for plural in has_status} <= {kind["name"] for kind in listed}
    # Who may see jobs but no logs can list what is ours.
    ours = {kind["name"] for kind in listed if "krkn" in kind.get("categories", ())}
    assert JOBS in ours
    assert LOGS not in ours


@pytest.mark.parametrize(
    ("plural", "shown"),
    [
        pytest.param(PROVIDERS, {"Operator": "krkn-operator", "Active": False}, id="provider"),
        pytest.param(
            TARGETS,
            {
                "Cluster": "Küste 1 (test)",
                "API URL": "HTTPS://api.example.com:6443/k8s/clusters/c@d",
                "Type": "token",
                "Ready": True,
                "Reason": "Reached",
            },
            id="target",
        ),
        pytest.param(REQUESTS, {"Status": "Completed"}, id="target-request"),
        pytest.param(
            HALTS,
            {
                "Reason": "an incident",
                "By": "the one on call",
                "Selector": "env=(",
                "Invalid": "True",
            },
            id="halt",
        ),
        pytest.param(
            BLACKOUTS,
            {
                "Schedule": "0 8 * * MON-FRI",
                "Zone": "Europe/Berlin",
                "Seconds": 36_000,
                "Selector": "env=(",
                "Stops": True,
                "Invalid": "True",
            },
            id="blackout",
        ),
        pytest.param(
            JOBS,
            {
                "Status": "Failed",
                "Time": "60s",
                "Run": "0000007",
                "Cluster": "cluster 1",
                "Scenario": "pod scenarios",
            },
            id="chaos-job",
        ),
        pytest.param(
            RUNS,
            {
                "Phase": "PartiallyFailed",
                "Scenario": "pod scenarios",
                "Total": 3,
                "Running": 0,
                "Succeeded": 1,
                "Failed": 1,
            },
            id="chaos-run",
        ),
    ],
)
async def test_kubectl_get_shows_what_matters(
    control_plane: ControlPlane, namespace: str, plural: str, shown: Manifest, tmp_path: Path
) -> None:
    thing = await store(control_plane.cluster, namespace, plural)
    await thing.set_status(**whole(plural)["status"])

    credentials = await of_kubeconfig(control_plane.admin_kubeconfig, tmp_path)
    as_table = {"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io"}
    async with Cluster(dataclasses.replace(credentials, headers=as_table)) as kubectl:
        table = await kubectl.request("GET", thing.path)
    [row] = table["rows"]
    cells = {
        column["name"]: cell
        for column, cell in zip(table["columnDefinitions"], row["cells"], strict=True)
        if column["priority"] == 0  # what is shown without -o wide
    }
    ages = {cells.pop(name) for name in DATES & cells.keys()}
    assert cells == shown | {"Name": thing.manifest["metadata"]["name"]}
    assert all(ages)
