"""Where the secrets of a run are, and where they are not; and what its job says instead."""

import base64
import json
from typing import Any

from deploy.local.cluster.api import Cluster
from krkn_grpc.resources import kubeconfig as kubeconfigs
from krkn_grpc.resources.kubeconfig import KubeconfigRules, Token
from tests.integration.pods.seen import (
    API_TOKEN,
    AWS_KEY,
    BINARY,
    FILE,
    GIVEN,
    HIDDEN,
    IMAGE,
    IN_REQUEST,
    TIMEOUT,
    TOKEN,
    CacheChange,
)
from tests.support.custom_objects import JOBS, TARGETS, collection
from tests.support.rest import Rest
from tests.support.waiting import eventually

# --- the Secrets ---


async def test_the_kubeconfig_is_the_targets(seen: CacheChange) -> None:
    [(key, text)] = seen.data(f"krkn-job-{seen.job_id}").items()
    kubeconfig = kubeconfigs.read(text.decode(), KubeconfigRules())
    assert key == "kubeconfig"
    assert kubeconfig.credentials == Token(TOKEN)
    assert kubeconfig.server == seen.job["spec"]["clusterAPIURL"]


async def test_the_inputs_are_as_they_were_given(seen: CacheChange) -> None:
    assert seen.data(seen.inputs) == {
        "env-AWS_SECRET_ACCESS_KEY": f"$(NAMESPACE)-{AWS_KEY}".encode(),
        "env-ES_API_TOKEN": API_TOKEN.encode(),
        "env-PLAIN_LOOKING": GIVEN.encode(),
        "file-0": FILE.encode(),
        "file-1": BINARY,
    }


async def test_all_secrets_belong_to_the_job(seen: CacheChange) -> None:
    assert set(seen.secrets) == {
        f"krkn-job-{seen.job_id}",
        f"krkn-job-{seen.job_id}-inputs",
        f"krkn-job-{seen.job_id}-registry",
    }
    for secret in seen.secrets.values():
        [owner] = secret["metadata"]["ownerReferences"]
        assert owner["uid"] == seen.job["metadata"]["uid"]
        assert secret["metadata"]["labels"] == {"app": "krkn-scenario", "krkn-job-id": seen.job_id}


# --- the job ---


async def test_the_job_has_what_is_public_of_the_request(seen: CacheChange) -> None:
    spec = seen.job["spec"]
    assert seen.job["metadata"]["name"] == spec["jobId"] == seen.job_id
    assert spec["targetUUID"] == seen.target
    assert (spec["scenarioName"], spec["scenarioImage"]) == (IN_REQUEST["scenarioName"], IMAGE)
    assert spec["kubeconfigPath"] == "/var/krkn/target.yaml"
    assert spec["environment"] == {"NAMESPACE": "default", "PATTERN": "$(NAMESPACE) $$ ${X}"}
    secret = ["AWS_SECRET_ACCESS_KEY", "ES_API_TOKEN", "PLAIN_LOOKING"]
    assert spec["secretEnvironment"] == secret
    assert spec["files"] == [
        {"name": "plan.yaml", "mountPath": "/etc/krkn/plan.yaml"},
        {"name": "data.bin", "mountPath": "/etc/krkn/data.bin"},
    ]
    assert (spec["pullSecret"], spec["timeoutSeconds"]) == (True, TIMEOUT)
    labels = seen.job["metadata"]["labels"]
    assert labels["team"] == "chaos"
    assert labels["krkn-target-uuid"] == seen.target


async def test_the_job_pins_the_target(seen: CacheChange) -> None:
    target = await seen.services.cluster.request(
        "GET", f"{collection(TARGETS, seen.services.namespace)}/{seen.target}"
    )
    spec = seen.job["spec"]
    assert spec["targetUID"] == target["metadata"]["uid"]
    assert spec["targetSecretUUID"] == target["spec"]["secretUUID"]
    assert spec["clusterAPIURL"] == target["spec"]["clusterAPIURL"]


# --- where no secret is ---


async def everything_but_secrets(cluster: Cluster, namespace: str) -> dict[str, str]:
    """All objects of the namespace as text, by kind, but for the Secrets."""
    core, ours = f"/api/v1/namespaces/{namespace}", collection(JOBS, namespace)
    paths = {
        "pods": f"{core}/pods",
        "configmaps": f"{core}/configmaps",
        "events": f"{core}/events",
        "new events": f"/apis/events.k8s.io/v1/namespaces/{namespace}/events",
        "leases": f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases",
        "jobs": ours,
        "targets": collection(TARGETS, namespace),
        "providers": collection("krknoperatortargetproviders", namespace),
    }
    return {name: json.dumps(await cluster.request("GET", path)) for name, path in paths.items()}


def leaks(text: str) -> list[str]:
    """The secrets that are in a text, as they are or in base64."""
    spelled = {secret: base64.b64encode(secret.encode()).decode()[:-4] for secret in HIDDEN}
    return [secret for secret, encoded in spelled.items() if secret in text or encoded in text]


async def test_no_secret_is_in_any_other_object(seen: CacheChange) -> None:
    objects = await everything_but_secrets(seen.services.cluster, seen.services.namespace)
    assert seen.job_id in objects["jobs"]
    assert {kind: leaks(text) for kind, text in objects.items() if leaks(text)} == {}


async def test_no_secret_is_in_any_metadata(seen: CacheChange) -> None:
    """Also not in that of the Secrets themselves."""
    for secret in seen.secrets.values():
        assert leaks(json.dumps(secret["metadata"])) == []


async def test_no_secret_is_in_a_reply_or_a_log(seen: CacheChange) -> None:
    assert leaks(seen.replies) == []
    logs = {path.name: path.read_text() for path in seen.services.processes.logs.glob("*.log")}
    assert logs.keys() >= {"server.log", "controller.log"}
    assert {name: leaks(text) for name, text in logs.items() if leaks(text)} == {}


# --- afterwards ---


async def test_the_secrets_go_when_the_job_is_final(seen: CacheChange) -> None:
    """Not with the job, which stays. A run of its own, so that the others can look at theirs."""
    rest, cluster = Rest(seen.services.rest), seen.services.cluster
    request = IN_REQUEST | {"scenarioImage": "registry.example/krkn-hub:lasts-0s-exit-3"}
    [job_id] = await rest.run(seen.target, **request)
    path = f"/api/v1/namespaces/{seen.services.namespace}/secrets"
    job = await rest.job_when(job_id)
    assert (job["status"], job["exitCode"]) == ("Failed", 3)

    async def left() -> list[Any]:
        listed = await cluster.request("GET", path, labelSelector=f"krkn-job-id={job_id}")
        return [secret["metadata"]["name"] for secret in listed["items"]]

    await eventually(left, lambda names: names == [])
    assert (await rest.job(job_id))["status"] == "Failed"
