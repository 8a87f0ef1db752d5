"""Scenario pods in a namespace of a company: Pod Security, quotas, the rules of OpenShift."""

import contextlib
import json
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest_asyncio

from controller.jobs import pod as pods
from controller.scenario_pods import template as pod_template
from controller.scenario_pods.rules import PodRules
from deploy.local.cluster.api import Cluster, ClusterError
from deploy.local.cluster.control_plane import ControlPlane
from krkn_grpc.resources.chaos_job import ChaosJob
from krkn_grpc.resources.credential_secret import Credential
from tests.support.controllers import controller
from tests.support.custom_objects import MERGE, Manifest
from tests.support.jobs import Jobs
from tests.support.policies import Attempt, Rules, forbidding
from tests.support.running import make_namespace, remove_namespace
from tests.support.waiting import eventually

RESTRICTED = {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "restricted"}}}
# A quota demands of each pod what it counts.
COUNTED = [
    f"{which}.{what}"
    for which in ("requests", "limits")
    for what in ("cpu", "memory", "ephemeral-storage")
]


@pytest_asyncio.fixture
async def jobs(control_plane: ControlPlane) -> AsyncIterator[Jobs]:
    """A restricted namespace with a quota on all that a pod can ask for."""
    cluster, name = control_plane.cluster, f"test-{uuid.uuid4().hex[:8]}"
    await make_namespace(cluster, name)
    await cluster.request("PATCH", f"/api/v1/namespaces/{name}", RESTRICTED, MERGE)
    hard = {key: "100" if key.endswith("cpu") else "100Gi" for key in COUNTED}
    quota = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "all"},
        "spec": {"hard": hard},
    }
    path = f"/api/v1/namespaces/{name}/resourcequotas"
    await cluster.request("POST", path, quota)
    # The controller that counts is not part of the local cluster.
    counted = {"status": {"hard": hard, "used": dict.fromkeys(COUNTED, "0")}}
    await cluster.request("PATCH", f"{path}/all/status", counted, MERGE)
    yield Jobs(control_plane, name)
    await remove_namespace(cluster, name)


async def pod_of_a_run(
    jobs: Jobs, folder: Path, job: str | None = None, **settings: object
) -> Manifest:
    """Run a scenario under a controller with these settings; return its pod after its success."""
    async with controller(jobs.cluster, jobs.namespace, folder, settings) as process:
        await process.start()
        job = job or await jobs.job(await jobs.target())
        status = await jobs.finished(job)
        assert status["phase"] == "Succeeded", status
        pod = await jobs.pod(job)
        assert pod is not None
        assert pod["metadata"]["uid"] == status["podUID"]
        return pod


async def test_a_quota_on_limits_lets_it_in(jobs: Jobs, tmp_path: Path) -> None:
    pod = await pod_of_a_run(jobs, tmp_path)
    assert pod["status"]["qosClass"] == "Burstable"


async def test_the_quota_demands_limits(jobs: Jobs) -> None:
    """Without its defaults the pod would stay outside, as one does that has no limits."""
    container = {
        "name": "one",
        "image": "registry.example/one",
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "runAsNonRoot": True,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
    }
    metadata = {"name": "without"}
    body = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata}
    attempt = Attempt(
        "POST",
        f"/api/v1/namespaces/{jobs.namespace}/pods",
        body | {"spec": {"containers": [container]}},
    )
    told = await eventually(
        lambda: attempt.outcome(jobs.cluster), lambda told: isinstance(told, ClusterError)
    )
    assert "must specify limits.cpu" in str(told)


async def test_a_cluster_that_assigns_the_user(jobs: Jobs, tmp_path: Path) -> None:
    """As restricted-v2 of OpenShift: it refuses a user that it has not assigned."""
    own = "has(object.spec.securityContext) && has(object.spec.securityContext.{})"
    fixed = " || ".join(f"({own.format(key)})" for key in ("runAsUser", "fsGroup", "runAsGroup"))
    body = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "fixed"},
        "spec": {
            "securityContext": {"runAsUser": 1001},
            "containers": [{"name": "one", "image": "registry.example/one"}],
        },
    }
    attempt = Attempt("POST", f"/api/v1/namespaces/{jobs.namespace}/pods", body)
    rules = Rules(["pods"])
    async with forbidding(jobs.cluster, jobs.namespace, rules, f"!({fixed})", attempt):
        pod = await pod_of_a_run(jobs, tmp_path, pod_fixed_uid="false")
    assert pod["spec"]["securityContext"] == {
        "runAsNonRoot": True,
        "seccompProfile": {"type": "RuntimeDefault"},
    }


async def test_every_setting_at_once(jobs: Jobs, tmp_path: Path) -> None:
    name = jobs.namespace
    template: dict[str, Any] = {
        "metadata": {
            "labels": {"cost-center": "42"},
            "annotations": {"example.com/contact": "team chaos"},
        },
        "spec": {
            "nodeSelector": {"kubernetes.io/hostname": "local"},
            "tolerations": [{"key": "dedicated", "operator": "Exists"}],
            "topologySpreadConstraints": [
                {
                    "maxSkew": 1,
                    "topologyKey": "kubernetes.io/hostname",
                    "whenUnsatisfiable": "ScheduleAnyway",
                    "labelSelector": {"matchLabels": {"app": "krkn-scenario"}},
                }
            ],
            "priorityClassName": name,
            "runtimeClassName": name,
            "imagePullSecrets": [{"name": "mirror"}],
            "containers": [{"name": "scenario", "resources": {"limits": {"memory": "3Gi"}}}],
        },
    }
    async with classes(jobs.cluster, name):
        pod = await pod_of_a_run(
            jobs,
            tmp_path,
            pod_template=json.dumps(template),
            image_mirrors="registry.example=mirror.example/cache",
            pod_https_proxy="http://proxy.example:3128",
            pod_ca_config_map="company-ca",
        )
    spec, [container] = pod["spec"], pod["spec"]["containers"]
    for key, value in template["metadata"].items():
        assert value.items() <= pod["metadata"][key].items()
    for key in ("nodeSelector", "topologySpreadConstraints", "priorityClassName"):
        assert spec[key] == template["spec"][key]
    assert spec["runtimeClassName"] == name
    assert {"key": "dedicated", "operator": "Exists"} in spec["tolerations"]
    assert spec["imagePullSecrets"] == [{"name": "mirror"}]
    assert container["image"] == "mirror.example/cache/krkn-hub:pod-scenarios"
    assert container["resources"]["limits"]["memory"] == "3Gi"
    variables = {each["name"]: each.get("value") for each in container["env"]}
    assert variables["https_proxy"] == "http://proxy.example:3128"
    assert variables["SSL_CERT_FILE"] == "/etc/krkn-ca/ca-bundle.crt"
    [job] = [owner["name"] for owner in pod["metadata"]["ownerReferences"]]
    asked = (await jobs.read(job))["spec"]["scenarioImage"]
    assert asked == "registry.example/krkn-hub:pod-scenarios", "as the caller named it"


async def test_a_pod_of_former_settings_is_still_the_jobs(jobs: Jobs, tmp_path: Path) -> None:
    """The controller died after it had made the pod, and comes back with other settings."""
    job = await jobs.job(await jobs.target(admitted=False))
    former = PodRules(
        template=pod_template.read("metadata: {labels: {made-by: former}}"),
        mirrors=(("registry.example", "former.example"),),
    )
    read = msgspec.convert(await jobs.read(job), ChaosJob, strict=False)
    secret, pod = pods.kubeconfig_secret(read, Credential("former")), pods.pod(read, former)
    for new in (secret, pod):
        body = {"apiVersion": "v1", "kind": new.KIND.name, **msgspec.to_builtins(new)}
        path = f"/api/v1/namespaces/{jobs.namespace}/{new.KIND.plural}"
        made = await jobs.cluster.request("POST", path, body)
    ended = await pod_of_a_run(
        jobs, tmp_path, job=job, pod_template="metadata: {labels: {made-by: current}}"
    )
    assert ended["metadata"]["uid"] == made["metadata"]["uid"]
    assert ended["metadata"]["labels"]["made-by"] == "former"


@contextlib.asynccontextmanager
async def classes(cluster: Cluster, name: str) -> AsyncIterator[None]:
    """A priority class and a runtime class of this name, as long as the context lasts."""
    made: list[dict[str, Any]] = [
        {
            "apiVersion": "scheduling.k8s.io/v1",
            "kind": "PriorityClass",
            "metadata": {"name": name},
            "value": 1000,
        },
        {
            "apiVersion": "node.k8s.io/v1",
            "kind": "RuntimeClass",
            "metadata": {"name": name},
            "handler": "runsc",
        },
    ]
    await cluster.apply(made)
    try:
        yield
    finally:
        for each in made:
            await cluster.delete(each)
