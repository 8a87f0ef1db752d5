"""The scenario pod of a run, point by point."""

import base64
import json

from controller.jobs import stop_hook
from tests.integration.pods.seen import IMAGE, PASSWORD, TIMEOUT, CacheChange
from tests.support.custom_objects import Manifest


async def test_its_name_labels_and_owner(seen: CacheChange) -> None:
    metadata = seen.pod["metadata"]
    assert metadata["name"] == f"krkn-job-{seen.job_id}"
    assert metadata["labels"] == {
        "sidecar.istio.io/inject": "false",
        "istio.io/dataplane-mode": "none",
        "app": "krkn-scenario",
        "krkn-job-id": seen.job_id,
        "krkn-scenario-name": "Pod-scenarios-n-her-dran",
        "krkn-target-uuid": seen.target,
    }
    [owner] = metadata["ownerReferences"]
    assert (owner["kind"], owner["uid"]) == ("KrknChaosJob", seen.job["metadata"]["uid"])
    assert "blockOwnerDeletion" not in owner
    assert "finalizers" not in metadata


async def test_its_container(seen: CacheChange) -> None:
    assert seen.container["name"] == "scenario"
    assert seen.container["image"] == IMAGE
    assert seen.container["imagePullPolicy"] == "Always"
    assert not {"command", "args", "ports"} & seen.container.keys()
    assert seen.container["lifecycle"] == {
        "preStop": {"exec": {"command": stop_hook.command(grace_seconds=60)}}
    }


async def test_it_runs_once_and_for_a_bounded_time(seen: CacheChange) -> None:
    spec = seen.pod["spec"]
    assert spec["restartPolicy"] == "Never"
    assert spec["activeDeadlineSeconds"] == TIMEOUT
    assert spec["terminationGracePeriodSeconds"] == 60
    assert "schedulingGates" not in spec, "it was let go"
    assert seen.pod["metadata"]["uid"] == seen.job["status"]["podUID"]


async def test_nothing_is_noted_of_its_fields(seen: CacheChange) -> None:
    """Or the API server would note again at every write who has set what."""
    assert "managedFields" not in seen.pod["metadata"]
    assert seen.pod["spec"]["nodeName"], "others have written to it since"


async def test_it_may_do_nothing_that_it_needs_not(seen: CacheChange) -> None:
    spec = seen.pod["spec"]
    assert spec["securityContext"] == {
        "runAsUser": 1001,
        "runAsGroup": 1001,
        "fsGroup": 1001,
        "runAsNonRoot": True,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert seen.container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "runAsNonRoot": True,
    }
    assert not {"hostNetwork", "hostPID", "hostIPC"} & spec.keys()


async def test_it_has_an_account_without_rights_or_token(seen: CacheChange) -> None:
    spec = seen.pod["spec"]
    assert spec["serviceAccountName"] == "krkn-scenario"
    assert spec["automountServiceAccountToken"] is False
    assert spec["enableServiceLinks"] is False
    kinds = {key for volume in spec["volumes"] for key in volume if key != "name"}
    assert kinds == {"secret", "emptyDir"}, "no token, no ConfigMap, nothing of the host's"


async def test_it_uses_a_bounded_part_of_its_node(seen: CacheChange) -> None:
    assert seen.container["resources"] == {
        "requests": {"cpu": "100m", "memory": "256Mi", "ephemeral-storage": "128Mi"},
        "limits": {"cpu": "1", "memory": "1Gi", "ephemeral-storage": "1Gi"},
    }


async def test_its_environment(seen: CacheChange) -> None:
    """Public values are written with each `$` doubled; secret ones are references."""
    variables = {each.pop("name"): each for each in map(dict, seen.container["env"])}

    def secret(name: str) -> Manifest:
        key = {"name": seen.inputs, "key": f"env-{name}"}
        return {"valueFrom": {"secretKeyRef": key}}

    assert variables == {
        "NAMESPACE": {"value": "default"},
        "PATTERN": {"value": "$$(NAMESPACE) $$$$ $${X}"},
        "AWS_SECRET_ACCESS_KEY": secret("AWS_SECRET_ACCESS_KEY"),
        "ES_API_TOKEN": secret("ES_API_TOKEN"),
        "PLAIN_LOOKING": secret("PLAIN_LOOKING"),
        "KRKN_KUBE_CONFIG": {"value": "/var/krkn/target.yaml"},
        "UUID": {"value": seen.job_id},
    }


async def test_its_mounts(seen: CacheChange) -> None:
    volumes = {volume["name"]: volume for volume in seen.pod["spec"]["volumes"]}
    mounts = {mount["mountPath"]: mount for mount in seen.container["volumeMounts"]}
    assert set(mounts) == {
        "/tmp",
        "/var/krkn/target.yaml",
        "/etc/krkn/plan.yaml",
        "/etc/krkn/data.bin",
    }
    assert volumes[mounts["/tmp"]["name"]]["emptyDir"] == {"sizeLimit": "1Gi"}
    expected = {
        "/var/krkn/target.yaml": (f"krkn-job-{seen.job_id}", "kubeconfig"),
        "/etc/krkn/plan.yaml": (seen.inputs, "file-0"),
        "/etc/krkn/data.bin": (seen.inputs, "file-1"),
    }
    for path, (secret, key) in expected.items():
        mount = mounts[path]
        assert (mount["readOnly"], mount["subPath"]) == (True, key)
        assert volumes[mount["name"]]["secret"]["secretName"] == secret
        assert key in seen.secrets[secret]["data"]


async def test_how_its_image_is_pulled(seen: CacheChange) -> None:
    name = f"krkn-job-{seen.job_id}-registry"
    assert seen.pod["spec"]["imagePullSecrets"] == [{"name": name}]
    assert seen.secrets[name]["type"] == "kubernetes.io/dockerconfigjson"
    config = json.loads(seen.data(name)[".dockerconfigjson"])
    auth = base64.b64encode(f"puller:{PASSWORD}".encode()).decode()
    entry = {"username": "puller", "password": PASSWORD, "auth": auth}
    assert config == {"auths": {"registry.example:5000": entry}}
