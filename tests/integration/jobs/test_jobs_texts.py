"""Whatever others say, a job's status takes it, or goes without it: no text holds a job's end."""

import asyncio

import pytest

from krkn_grpc.resources.meta import GROUP, VERSION
from tests.support.custom_objects import JOBS, MERGE, TARGETS, Manifest
from tests.support.jobs import Jobs
from tests.support.policies import Attempt, Rules, forbidding
from tests.support.requests import unused_url
from tests.support.targets import condition
from tests.support.waiting import eventually

WEIRD = "\U000e0001"
"""One character, of which repr() makes ten."""


async def test_a_target_whose_url_is_weird_and_another_s(patient_jobs: Jobs) -> None:
    url = f"{unused_url()}/" + WEIRD * 1_900

    async def admission() -> tuple[Manifest, Manifest]:
        made = await patient_jobs.target(admitted=False, with_secret=False, clusterAPIURL=url)
        told = await eventually(
            lambda: patient_jobs.read_target(made["metadata"]["name"]),
            lambda target: condition(target, "Admitted"),
        )
        return made, condition(told, "Admitted")

    _, first = await admission()
    second, refused = await admission()
    assert (first["status"], refused["status"]) == ("True", "False")
    assert len(refused["message"]) > 4_096
    status = await patient_jobs.finished(await patient_jobs.job(second))
    assert (status["phase"], status["reason"]) == ("Failed", "DuplicateAPIURL")
    assert status["message"].endswith("...")
    assert len(status["message"]) == 4_096


@pytest.mark.parametrize("word", ["LongWord" * 100, WEIRD * 300], ids=["ASCII", "weird"])
async def test_a_node_s_word_is_too_long(patient_jobs: Jobs, word: str) -> None:
    job = await patient_jobs.job(await patient_jobs.target(), "never-starts")
    await patient_jobs.node_has_it(job)
    await patient_jobs.set_container_state(job, {"waiting": {"reason": word}})
    status = await patient_jobs.when(job, lambda status: status.get("reason"))
    assert word.startswith(status["reason"])
    assert len(status["reason"].encode()) == 256
    await patient_jobs.set_pod_status(job, phase="Failed", reason=word)
    status = await patient_jobs.finished(job)
    assert status["phase"] == "Failed"
    assert word.startswith(status["reason"])


async def test_a_rule_refuses_what_a_job_is_to_say(patient_jobs: Jobs) -> None:
    """The outcome counts: it is told with a sentence that nobody can have anything against."""
    target = await patient_jobs.target()
    job = await patient_jobs.job(target, "exit-9")
    other = await patient_jobs.job(target, "never-starts")
    await asyncio.gather(patient_jobs.finished(job), patient_jobs.named(other))
    rules = Rules([f"{JOBS}/status"], ["UPDATE"], GROUP, VERSION)
    harmless = '!has(object.status.message) || !object.status.message.contains("exit code")'
    attempt = Attempt(
        "PATCH",
        f"{patient_jobs.path(other)}/status",
        {"status": {"message": "exit code"}},
        MERGE,
    )
    async with forbidding(
        patient_jobs.cluster, patient_jobs.namespace, rules, harmless, attempt, reason="Invalid"
    ):
        status = await patient_jobs.finished(await patient_jobs.job(target, "exit-9"))
    assert (status["phase"], status["reason"], status["exitCode"]) == (
        "Failed",
        "HealthCheckFailed",
        9,
    )
    assert status["message"] == "The API server refused the text that says why."
    await patient_jobs.stop(other)


async def test_a_rule_refuses_what_a_target_is_to_say(patient_jobs: Jobs) -> None:
    known = await patient_jobs.target()
    path = f"/apis/{GROUP}/{VERSION}/namespaces/{patient_jobs.namespace}/{TARGETS}"
    rules = Rules([f"{TARGETS}/status"], ["UPDATE"], GROUP, VERSION)
    harmless = (
        "!has(object.status.conditions) || "
        'object.status.conditions.all(c, !c.message.contains("exists already"))'
    )
    bad = {**condition(known, "Ready"), "message": "it exists already"}
    attempt = Attempt(
        "PATCH",
        f"{path}/{known['metadata']['name']}/status",
        {"status": {"conditions": [bad]}},
        MERGE,
    )
    async with forbidding(
        patient_jobs.cluster, patient_jobs.namespace, rules, harmless, attempt, reason="Invalid"
    ):
        second = await patient_jobs.target(
            admitted=False, clusterAPIURL=known["spec"]["clusterAPIURL"]
        )
        told = await eventually(
            lambda: patient_jobs.read_target(second["metadata"]["name"]),
            lambda target: condition(target, "Admitted"),
        )
    refused = condition(told, "Admitted")
    assert (refused["status"], refused["reason"]) == ("False", "DuplicateAPIURL")
    assert refused["message"] == "The API server refused the text that says why."
