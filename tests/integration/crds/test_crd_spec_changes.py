"""What may change in the spec of a stored object: the CRDs' rules on a real API server."""

import copy

import pytest

from deploy.local.cluster.control_plane import ControlPlane
from tests.support.custom_objects import (
    GONE,
    JOBS,
    PROVIDERS,
    REQUESTS,
    TARGETS,
    assert_refused,
    schemas,
    store,
    whole,
)

ANOTHER_ID = "6f1c1b6e-0000-4000-8000-00000000000f"
IMMUTABLE = "spec is immutable, but for stop"
ANOTHER_VALUE: dict[str, object] = {
    "jobId": ANOTHER_ID,
    "targetUUID": ANOTHER_ID,
    "targetUID": "another",
    "targetSecretUUID": ANOTHER_ID,
    "clusterAPIURL": "https://another.example.com",
    "clusterName": "another",
    "scenarioName": "another",
    "scenarioImage": "another",
    "kubeconfigPath": "/another",
    "environment": {"NAMESPACE": "another", "EMPTY": "", "PRICE": "$5"},
    "secretEnvironment": ["AWS_SECRET_ACCESS_KEY", "ANOTHER"],
    "files": [{"name": "a.yaml", "mountPath": "/another"}],
    "pullSecret": False,
    "timeoutSeconds": 1,
    "ttlSecondsAfterFinished": 1,
    "queueSeconds": 1,
    "onBusy": "Wait",
    "requestId": ANOTHER_ID,
    "runId": ANOTHER_ID,
    "runUID": "another",
    "requestedBy": "another",
}


FIELDS = schemas(JOBS)["spec"]["properties"]
OPTIONAL = sorted(FIELDS.keys() - schemas(JOBS)["spec"]["required"] - {"stop"})


def test_every_field_of_a_job_is_tried() -> None:
    assert ANOTHER_VALUE.keys() == FIELDS.keys() - {"stop"}


@pytest.mark.parametrize("field", ANOTHER_VALUE)
async def test_a_field_of_a_job_does_not_change(
    control_plane: ControlPlane, namespace: str, field: str
) -> None:
    job = await store(control_plane.cluster, namespace, JOBS)
    await assert_refused(job.merge({"spec": {field: ANOTHER_VALUE[field]}}), IMMUTABLE)


@pytest.mark.parametrize("field", OPTIONAL)
async def test_a_field_of_a_job_is_not_taken_away(
    control_plane: ControlPlane, namespace: str, field: str
) -> None:
    job = await store(control_plane.cluster, namespace, JOBS)
    if "default" in FIELDS[field]:
        # A default takes the place of what is taken away, and is another value.
        await assert_refused(job.merge({"spec": {field: None}}), IMMUTABLE)
    without = copy.deepcopy(job.manifest)
    del without["spec"][field]
    await assert_refused(job.replace(without), IMMUTABLE)


@pytest.mark.parametrize("field", OPTIONAL)
async def test_a_field_of_a_job_is_not_added(
    control_plane: ControlPlane, namespace: str, field: str
) -> None:
    job = await store(control_plane.cluster, namespace, JOBS, **{field: GONE})
    default = FIELDS[field].get("default")
    another = ANOTHER_VALUE[field]
    value = another if another != default else whole(JOBS)["spec"][field]
    await assert_refused(job.merge({"spec": {field: value}}), IMMUTABLE)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("environment", {"NAMESPACE": "default", "EMPTY": ""}),
        ("environment", {}),
        ("files", []),
        ("secretEnvironment", []),
        ("requestedBy", ""),
    ],
)
async def test_a_field_of_a_job_is_not_emptied(
    control_plane: ControlPlane, namespace: str, field: str, value: object
) -> None:
    job = await store(control_plane.cluster, namespace, JOBS)
    job.manifest["spec"][field] = value
    await assert_refused(job.replace(job.manifest), IMMUTABLE)


async def test_a_stop_is_asked_once_and_for_all(
    control_plane: ControlPlane, namespace: str
) -> None:
    job = await store(control_plane.cluster, namespace, JOBS)
    await job.merge({"spec": {"stop": False}})
    stopping = await job.merge({"spec": {"stop": True}})
    assert stopping["spec"]["stop"] is True
    await job.merge({"spec": {"stop": True}})
    await assert_refused(job.merge({"spec": {"stop": False}}), "a stop cannot be taken back")
    await assert_refused(job.merge({"spec": {"stop": None}}), "a stop cannot be taken back")
    del stopping["spec"]["stop"]
    await assert_refused(job.replace(stopping), "a stop cannot be taken back")


async def test_the_largest_job_can_be_written_and_stopped(
    control_plane: ControlPlane, namespace: str
) -> None:
    # CEL rules have a budget at run time too; a job over it could not even be stopped.
    job = await store(
        control_plane.cluster,
        namespace,
        JOBS,
        environment={f"A{number:05}": "" for number in range(9000)} | {"B": "x" * 65536},
        secretEnvironment=[f"S{number:05}" for number in range(1000)],
        files=[{"name": f"{n}", "mountPath": f"/{n:02}" + "/x" * 2046} for n in range(16)],
    )
    assert (await job.merge({"spec": {"stop": True}}))["spec"]["stop"] is True


@pytest.mark.parametrize(
    ("plural", "field", "value", "message"),
    [
        (TARGETS, "uuid", ANOTHER_ID, "uuid is immutable"),
        (REQUESTS, "uuid", ANOTHER_ID, "uuid is immutable"),
        (
            PROVIDERS,
            "operator-name",
            "another",
            "operator-name is immutable",
        ),
    ],
)
async def test_an_identity_does_not_change(
    control_plane: ControlPlane,
    namespace: str,
    plural: str,
    field: str,
    value: str,
    message: str,
) -> None:
    thing = await store(control_plane.cluster, namespace, plural)
    await assert_refused(thing.merge({"spec": {field: value}}), message)


async def test_a_target_is_replaced_but_for_its_uuid(
    control_plane: ControlPlane, namespace: str
) -> None:
    target = await store(control_plane.cluster, namespace, TARGETS)
    spec = {
        "clusterName": "another",
        "clusterAPIURL": "https://another.example.com",
        "secretType": "credentials",
        "secretUUID": ANOTHER_ID,
        "insecureSkipTLSVerify": False,
    }
    spec["uuid"] = target.manifest["spec"]["uuid"]
    replaced = await target.replace(target.manifest | {"spec": spec})
    assert replaced["spec"] == spec


async def test_a_provider_is_made_inactive_and_active_again(
    control_plane: ControlPlane, namespace: str
) -> None:
    provider = await store(control_plane.cluster, namespace, PROVIDERS)
    for active in (True, False, True):
        assert (await provider.merge({"spec": {"active": active}}))["spec"]["active"] is active
