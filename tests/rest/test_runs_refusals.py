"""Runs that are refused, through the real Envoy: 400 with what is wrong, and nothing created."""

import base64
import uuid
from typing import Any

import pytest

from tests.support.inventory import written
from tests.support.requests import a_run, canary
from tests.support.rest import BAD_REQUEST, RUNS, Rest, assert_error, assert_invalid
from tests.support.running import Running

UNKNOWN_IDS = [
    pytest.param(str(uuid.uuid4()), id="unknown"),
    pytest.param(str(uuid.uuid4()).upper(), id="upper-case"),
    pytest.param(uuid.uuid4().hex, id="without dashes"),
    pytest.param("%7B" + str(uuid.uuid4()) + "%7D", id="in braces"),
    pytest.param("x", id="no uuid"),
    pytest.param("..%2f..%2fsecrets%2fx", id="path"),
    pytest.param("..%252f..%252fsecrets%252fx", id="path encoded twice"),
    pytest.param("%2e%2e", id="dots"),
    pytest.param(f"{uuid.uuid4()}%3Fwatch=1", id="query"),
    pytest.param(f"{uuid.uuid4()}%23x", id="fragment"),
    pytest.param(f"{uuid.uuid4()}%20", id="space"),
    pytest.param(f"{uuid.uuid4()}%0A", id="line break"),
    pytest.param("%ff%fe", id="not UTF-8"),
    pytest.param("a" * 4000, id="long"),
]


def a_file(**changes: Any) -> dict[str, Any]:
    """A file that is in order, or not."""
    content = base64.b64encode(b"content").decode()
    return {"name": "f", "content": content, "mountPath": "/etc/f"} | changes


CASES: dict[str, tuple[dict[str, Any], list[str]]] = {
    "no image": ({"scenarioImage": "", "scenarioName": "of-my-own"}, ["scenarioImage"]),
    "no name": ({"scenarioName": ""}, ["scenarioName"]),
    "blank name": ({"scenarioName": "  "}, ["scenarioName"]),
    "neither": ({"scenarioImage": "", "scenarioName": ""}, ["scenarioImage", "scenarioName"]),
    "image with a space": ({"scenarioImage": "a b"}, ["scenarioImage"]),
    "image with a scheme": ({"scenarioImage": "https://quay.io/a"}, ["scenarioImage"]),
    "image with an empty tag": ({"scenarioImage": "quay.io/a:"}, ["scenarioImage"]),
    "image with two slashes": ({"scenarioImage": "quay.io//a"}, ["scenarioImage"]),
    "image in capitals": ({"scenarioImage": "quay.io/Team/a"}, ["scenarioImage"]),
    "name that is shown backwards": ({"scenarioName": "a\u202eb"}, ["scenarioName"]),
    "long image": ({"scenarioImage": "a" * 513}, ["scenarioImage"]),
    "long name": ({"scenarioName": "a" * 254}, ["scenarioName"]),
    "relative kubeconfig": ({"kubeconfigPath": "kube/config"}, ["kubeconfigPath"]),
    "kubeconfig in proc": ({"kubeconfigPath": "/proc/1/environ"}, ["kubeconfigPath"]),
    "kubeconfig with dots": ({"kubeconfigPath": "/a/../b"}, ["kubeconfigPath"]),
    "reserved variable": ({"environment": {"KUBECONFIG": "x"}}, ["environment[KUBECONFIG]"]),
    "reserved secret": (
        {"secretEnvironment": {"KRKN_KUBE_CONFIG": "x"}},
        ["secretEnvironment[KRKN_KUBE_CONFIG]"],
    ),
    "variable that loads code": (
        {"environment": {"LD_PRELOAD": "x"}},
        ["environment[LD_PRELOAD]"],
    ),
    "password with a line break": (
        {"registryUrl": "r", "username": "AWS", "password": "p\n"},
        ["password"],
    ),
    "registry token with a line break": ({"registryUrl": "r", "token": "t\r\n"}, ["token"]),
    "bad variable": ({"environment": {"1": "x"}}, ["environment[1]"]),
    "variable in both": (
        {"environment": {"A": "x"}, "secretEnvironment": {"A": "y"}},
        ["secretEnvironment[A]"],
    ),
    "NUL in a value": ({"environment": {"A": "x\0"}}, ["environment[A]"]),
    "large environment": ({"environment": {"A": "x" * 65536}}, ["environment"]),
    "17 files": ({"files": [a_file(mountPath=f"/f{n}") for n in range(17)]}, ["files"]),
    "file without a name": ({"files": [a_file(name="")]}, ["files[0].name"]),
    "file that is no base64": ({"files": [a_file(content="?")]}, ["files[0].content"]),
    "file without a path": ({"files": [a_file(mountPath="")]}, ["files[0].mountPath"]),
    "file under /dev": ({"files": [a_file(mountPath="/dev/x")]}, ["files[0].mountPath"]),
    "two files in one place": ({"files": [a_file(), a_file()]}, ["files[1].mountPath"]),
    "file over the kubeconfig": (
        {"files": [a_file(mountPath="/home/krkn/.kube/config")]},
        ["files[0].mountPath"],
    ),
    "files too large": (
        {"files": [a_file(content=base64.b64encode(bytes(256 * 1024 + 1)).decode())]},
        ["files"],
    ),
    "password without a registry": (
        {"username": "u", "password": "p"},
        ["registryUrl"],
    ),
    "registry without a password": ({"registryUrl": "r", "username": "u"}, ["password"]),
    "registry with a user in it": (
        {"registryUrl": "https://u:p@r", "username": "u", "password": "p"},
        ["registryUrl"],
    ),
    "timeout of 0": ({"timeoutSeconds": 0}, ["timeoutSeconds"]),
    "timeout of more than a day": ({"timeoutSeconds": 86401}, ["timeoutSeconds"]),
    "negative queue": ({"queueSeconds": -1}, ["queueSeconds"]),
    "endless queue": ({"queueSeconds": 2_592_001}, ["queueSeconds"]),
    "unknown onBusy": ({"onBusy": "wait"}, ["onBusy"]),
    "negative ttl": ({"ttlSecondsAfterFinished": -1}, ["ttlSecondsAfterFinished"]),
    "requestId that is no UUID": ({"requestId": "1"}, ["requestId"]),
    "label that is ours": ({"labels": {"krkn-job-id": "x"}}, ["labels[krkn-job-id]"]),
    "label in our group": (
        {"labels": {"krkn.krkn-chaos.dev/x": "x"}},
        ["labels[krkn.krkn-chaos.dev/x]"],
    ),
    "label with a bad value": ({"labels": {"a": "b c"}}, ["labels[a]"]),
}


@pytest.mark.parametrize("case", CASES)
async def test_a_request_that_is_not_in_order_creates_nothing(
    rest: Rest, shared_services: Running, case: str
) -> None:
    changes, fields = CASES[case]
    target = await rest.register()
    before = await written(shared_services.cluster, shared_services.namespace)
    assert_invalid(await rest.post(RUNS, a_run(target, **changes)), *fields)
    assert await written(shared_services.cluster, shared_services.namespace) <= before


async def test_of_many_faults_twenty_are_listed_and_all_are_counted(rest: Rest) -> None:
    environment = {f"{number:03}": "x" for number in range(150)}
    reply = await rest.post(RUNS, a_run(str(uuid.uuid4()), environment=environment))
    body = assert_error(reply, 400, 3, "INVALID_REQUEST")
    [violations] = [each for each in body["details"] if each["@type"] == BAD_REQUEST]
    assert len(violations["fieldViolations"]) == 20
    assert body["message"].endswith("(and 149 more, 150 in all)")


async def test_faults_with_long_names_are_told_too(rest: Rest) -> None:
    environment = {"\N{ROCKET}" * 500 + str(number): "x" for number in range(30)}
    reply = await rest.post(RUNS, a_run(str(uuid.uuid4()), environment=environment))
    body = assert_error(reply, 400, 3, "INVALID_REQUEST")
    assert body["message"].endswith("(and 29 more, 30 in all)")


async def test_no_value_of_a_secret_field_is_repeated(rest: Rest) -> None:
    secret = canary()
    reply = await rest.post(
        RUNS,
        a_run(
            str(uuid.uuid4()),
            environment={"1": secret, "A_TOKEN": f"{secret}\0"},
            secretEnvironment={"2": secret},
            files=[a_file(content=f"!{secret}")],
            username=f"{secret}:",
            password=secret,
            token=secret,
        ),
    )
    assert reply.status == 400
    assert secret not in reply.text
    assert all(secret not in value for value in reply.headers.values())


@pytest.mark.parametrize(
    "field", ["targetuuids", "targetUUID", "targetId", "clusterName", "dryRun"]
)
async def test_a_field_that_is_not_there_starts_nothing(
    rest: Rest, shared_services: Running, field: str
) -> None:
    target = await rest.register()
    before = await written(shared_services.cluster, shared_services.namespace)
    reply = await rest.post(RUNS, a_run(target) | {field: target})
    assert_invalid(reply, field)
    assert await written(shared_services.cluster, shared_services.namespace) <= before


@pytest.mark.parametrize("job_id", UNKNOWN_IDS)
async def test_a_job_that_is_not_there(rest: Rest, job_id: str) -> None:
    reply = await rest.get(f"{RUNS}/{job_id}")
    assert (reply.status, reply.body["code"]) == (404, 5), reply


async def test_a_nul_in_an_id_is_no_request_at_all(rest: Rest) -> None:
    reply = await rest.get(f"{RUNS}/{uuid.uuid4()}%00")
    assert (reply.status, reply.body["code"]) == (400, 3)


async def test_an_id_of_another_object_is_not_found(rest: Rest) -> None:
    target = await rest.register()
    assert_error(await rest.get(f"{RUNS}/{target}"), 404, 5, "NOT_FOUND")


async def test_validate_only_creates_nothing_and_says_what_would_be(
    rest: Rest, shared_services: Running
) -> None:
    target, unknown = await rest.register(), str(uuid.uuid4())
    before = await written(shared_services.cluster, shared_services.namespace)
    reply = await rest.post(RUNS, a_run(target, unknown, validateOnly=True))

    would_run, would_not = reply.body["jobs"]
    assert reply.status == 200
    assert would_run == {
        "targetUUID": target,
        "jobId": "",
        "status": "Pending",
        "podName": "",
        "success": True,
    }
    assert (would_not["success"], would_not["status"]) == (False, "Failed")
    assert (reply.body["successfulJobs"], reply.body["failedJobs"]) == (1, 1)
    assert await written(shared_services.cluster, shared_services.namespace) <= before


async def test_validate_only_says_that_the_run_of_a_request_id_was_made(rest: Rest) -> None:
    target, asked = await rest.register(), {"requestId": str(uuid.uuid4())}
    made = await rest.post(RUNS, a_run(target, **asked))
    reply = await rest.post(RUNS, a_run(target, **asked, validateOnly=True))
    assert (made.status, reply.status) == (201, 200)
    assert reply.headers["krkn-repeated"] == "true"
    body = reply.body
    assert body.pop("message").startswith("The run of this requestId was already made: ")
    assert body == made.body


async def test_validate_only_is_200_although_nothing_would_run(rest: Rest) -> None:
    reply = await rest.post(RUNS, a_run(str(uuid.uuid4()), validateOnly=True))
    assert (reply.status, reply.body["failedJobs"]) == (200, 1)


async def test_a_target_that_is_not_ready_runs_unless_that_is_asked_for(rest: Rest) -> None:
    target = await rest.register()
    reply = await rest.post(RUNS, a_run(target, requireReady=True))
    assert reply.status == 500
    [job] = reply.body["jobs"]
    assert "not ready" in job["error"]
    assert (await rest.post(RUNS, a_run(target, requireReady=False))).status == 201
