"""What may change in the spec of a stored object: the CRDs' rules on a real API server."""

import copy
import uuid

import pytest

from deploy.local.cluster.control_plane import ControlPlane
from tests.support.custom_objects import (
    GONE,
    JOBS,
    PROVIDERS,
    REQUESTS,
    RUNS,
    TARGETS,
    assert_refused,
    schemas,
    store,
    whole,
)

ANOTHER_ID = "6f1c1b6e-0000-4000-8000-00000000000f"
IMMUTABLE = "spec is immutable, but for stop"
SET_ONCE = "a stop is set once"
ANOTHER_VALUE: dict[str, dict[str, object]] = {
    JOBS: {
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
    },
    RUNS: {
        "targets": [{"targetUUID": ANOTHER_ID, "jobId": ANOTHER_ID}],
        "refused": [{"targetUUID": "another", "error": "not found"}],
        "fingerprint": "another",
        "requestId": ANOTHER_ID,
        "idempotencySeconds": 1,
        "scenarioName": "another",
        "scenarioImage": "another",
        "kubeconfigPath": "/another",
        "environment": {"NAMESPACE": "another", "EMPTY": "", "PRICE": "$5"},
        "secretEnvironment": ["AWS_SECRET_ACCESS_KEY", "ANOTHER"],
        "files": [{"name": "a.yaml", "mountPath": "/another"}],
        "timeoutSeconds": 1,
        "ttlSecondsAfterFinished": 1,
        "registryUrl": "https://another.example.com",
        "labels": {"team": "another", "empty": ""},
        "requestedBy": "another",
        "requireReady": False,
        "maxParallel": 2,
        "maxFailures": 1,
        "abortRunning": False,
        "queueSeconds": 1,
        "onBusy": "Wait",
        "abortOn": ['{alertname="another"}'],
    },
}
FIELDS = {plural: schemas(plural)["spec"]["properties"] for plural in ANOTHER_VALUE}

each_field = pytest.mark.parametrize(
    ("plural", "field"),
    [(plural, field) for plural, values in ANOTHER_VALUE.items() for field in values],
)
each_optional_field = pytest.mark.parametrize(
    ("plural", "field"),
    [
        (plural, field)
        for plural, fields in FIELDS.items()
        for field in sorted(fields.keys() - schemas(plural)["spec"]["required"] - {"stop"})
    ],
)


@pytest.mark.parametrize("plural", ANOTHER_VALUE)
def test_every_field_is_tried(plural: str) -> None:
    assert ANOTHER_VALUE[plural].keys() == FIELDS[plural].keys() - {"stop"}


@each_field
async def test_a_field_does_not_change(
    control_plane: ControlPlane, namespace: str, plural: str, field: str
) -> None:
    stored = await store(control_plane.cluster, namespace, plural)
    change = {"spec": {field: ANOTHER_VALUE[plural][field]}}
    await assert_refused(stored.merge(change), IMMUTABLE)


@each_optional_field
async def test_a_field_is_not_taken_away(
    control_plane: ControlPlane, namespace: str, plural: str, field: str
) -> None:
    stored = await store(control_plane.cluster, namespace, plural)
    if "default" in FIELDS[plural][field]:
        # A default takes the place of what is taken away, and is another value.
        await assert_refused(stored.merge({"spec": {field: None}}), IMMUTABLE)
    without = copy.deepcopy(stored.manifest)
    del without["spec"][field]
    await assert_refused(stored.replace(without), IMMUTABLE)


@each_optional_field
async def test_a_field_is_not_added(
    control_plane: ControlPlane, namespace: str, plural: str, field: str
) -> None:
    stored = await store(control_plane.cluster, namespace, plural, **{field: GONE})
    default = FIELDS[plural][field].get("default")
    another = ANOTHER_VALUE[plural][field]
    value = another if another != default else whole(plural)["spec"][field]
    await assert_refused(stored.merge({"spec": {field: value}}), IMMUTABLE)


@pytest.mark.parametrize(
    ("plural", "field", "value"),
    [
        (JOBS, "environment", {"NAMESPACE": "default", "EMPTY": ""}),
        (JOBS, "environment", {}),
        (JOBS, "files", []),
        (JOBS, "secretEnvironment", []),
        (JOBS, "requestedBy", ""),
        (RUNS, "refused", []),
        (RUNS, "environment", {"NAMESPACE": "default", "EMPTY": ""}),
        (RUNS, "environment", {}),
        (RUNS, "files", []),
        (RUNS, "secretEnvironment", []),
        (RUNS, "labels", {"team": "a"}),
        (RUNS, "labels", {}),
        (RUNS, "abortOn", []),
        (RUNS, "requestedBy", ""),
    ],
)
async def test_a_field_is_not_emptied(
    control_plane: ControlPlane, namespace: str, plural: str, field: str, value: object
) -> None:
    stored = await store(control_plane.cluster, namespace, plural)
    stored.manifest["spec"][field] = value
    await assert_refused(stored.replace(stored.manifest), IMMUTABLE)


async def test_a_stop_of_a_job_is_asked_once_and_for_all(
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


# `by` is who the tests are: a policy lets nobody name another.
STOP = {"reason": "StopRequested", "message": "enough", "by": "krkn-grpc-local-admin"}


async def test_a_stop_of_a_run_is_set_once(control_plane: ControlPlane, namespace: str) -> None:
    run = await store(control_plane.cluster, namespace, RUNS, stop=GONE)
    stopping = await run.merge({"spec": {"stop": STOP}})
    assert stopping["spec"]["stop"] == STOP
    await run.merge({"spec": {"stop": STOP}})
    for other in ({"reason": "AbortCondition"}, {"message": "Other"}, {"by": "Other"}):
        await assert_refused(run.merge({"spec": {"stop": STOP | other}}), SET_ONCE)
    for field in ("message", "by"):
        await assert_refused(run.merge({"spec": {"stop": {field: None}}}), SET_ONCE)
    await assert_refused(run.merge({"spec": {"stop": None}}), SET_ONCE)
    del stopping["spec"]["stop"]
    await assert_refused(run.replace(stopping), SET_ONCE)


async def test_the_largest_run_can_be_written_and_stopped(
    control_plane: ControlPlane, namespace: str
) -> None:
    ids = [str(uuid.uuid4()) for _ in range(1000)]
    run = await store(
        control_plane.cluster,
        namespace,
        RUNS,
        targets=[{"targetUUID": id_, "jobId": id_} for id_ in ids],
        refused=[{"targetUUID": id_, "error": "x" * 512} for id_ in ids],
        environment={f"A{number:05}": "" for number in range(9000)} | {"B": "x" * 65536},
        secretEnvironment=[f"S{number:05}" for number in range(1000)],
        files=[{"name": f"{n}", "mountPath": f"/{n:02}" + "/x" * 2046} for n in range(16)],
        labels={f"a{number}": "b" * 63 for number in range(64)},
        abortOn=[f'{{a="{"x" * 1018}"}}'] * 16,
        stop=GONE,
    )
    assert (await run.merge({"spec": {"stop": STOP}}))["spec"]["stop"] == STOP

    departed = await run.set_status(departed=ids, claims={id_: id_ for id_ in ids[1:]})
    assert len(departed["status"]["claims"]) == 999
    # Now the rule of claims is asked about as many as there can be.
    claimed = await run.set_status(phase="Running", claims={ids[0]: ids[0]})
    assert claimed["status"]["claims"] == {id_: id_ for id_ in ids}
    final = await run.set_status(phase="Stopped")
    assert final["status"]["claims"] == claimed["status"]["claims"]


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
