"""Who may run what on which target: the right `run`, the image, and in whose name it is done."""

import asyncio
import time
import uuid
from typing import Any

import pytest
from google.protobuf.message import Message
from grpc import StatusCode

from tests.integration.auth.callers import Metadata
from tests.integration.auth.calls import Outcome, call
from tests.integration.auth.conftest import Guarded, forgotten
from tests.integration.auth.test_reviews import ACCESS
from tests.support.api_proxy import Call
from tests.support.custom_objects import JOBS, TARGETS, collection
from tests.support.inventory import written
from tests.support.requests import IMAGE, token_target

ABSENT = "there is no such target"


async def register(guarded: Guarded) -> str:
    """Register a target; return its uuid."""
    new = token_target()
    created = await call(
        guarded.running.channel,
        "CreateTarget",
        await guarded.callers.metadata("target-admin"),
        cluster_name=new["clusterName"],
        secret_type=new["secretType"],
        cluster_api_url=new["clusterAPIURL"],
        token=new["token"],
    )
    assert created.code is StatusCode.OK, created
    target: str = created.reply.uuid
    return target


async def run(guarded: Guarded, metadata: Metadata, *targets: str, **changes: Any) -> Outcome:
    """Run a scenario on these targets."""
    fields = {"scenario_image": IMAGE, "scenario_name": "pods", "target_uuids": targets}
    return await call(guarded.running.channel, "RunScenario", metadata, **(fields | changes))


async def a_runner_of(guarded: Guarded, *targets: str) -> tuple[str, Metadata]:
    """Make an account that may run these targets and no others."""
    name = f"runner-{uuid.uuid4().hex[:8]}"
    create = {"resources": [JOBS], "verbs": ["create", "get"]}
    named = {"resources": [TARGETS], "resourceNames": [*targets], "verbs": ["run"]}
    await guarded.callers.make_role(name, create, *([named] if targets else []))
    metadata = await guarded.callers.make(name, name)
    await guarded.callers.until_allowed(name, "create", JOBS)
    return guarded.callers.name(name), metadata


def without_ids(entry: Message) -> dict[str, Any]:
    """All that a reply says of one target, but which one."""
    said = {field.name: value for field, value in entry.ListFields()}
    del said["target_uuid"]
    return said


async def test_a_target_that_one_may_not_run_reads_like_one_that_is_not_there(
    guarded: Guarded,
) -> None:
    mine, others = await register(guarded), await register(guarded)
    name, metadata = await a_runner_of(guarded, mine)
    found = await run(guarded, metadata, others, mine, str(uuid.uuid4()), "no id")
    assert found.code is StatusCode.OK, found
    denied, allowed, absent, no_id = found.reply.jobs
    assert (allowed.target_uuid, allowed.status, allowed.success) == (mine, "Pending", True)
    assert without_ids(denied) == without_ids(absent) == without_ids(no_id)
    assert without_ids(denied) == {"status": "Failed", "error": ABSENT}
    job = await call(
        guarded.running.channel, "GetScenarioRunStatus", metadata, job_id=allowed.job_id
    )
    assert job.reply.requested_by == name


async def test_the_right_to_all_is_asked_once_and_by_name_only_where_that_is_denied(
    guarded: Guarded,
) -> None:
    targets = [await register(guarded) for _ in range(3)]
    await forgotten()
    with guarded.watched() as asked:
        await run(guarded, await guarded.callers.metadata("runner"), *targets, validate_only=True)
    assert run_questions(asked.reviews(ACCESS)) == [""]
    _, metadata = await a_runner_of(guarded, *targets[:1])
    with guarded.watched() as asked:
        found = await run(guarded, metadata, *targets, validate_only=True)
    assert [job.success for job in found.reply.jobs] == [True, False, False]
    assert sorted(run_questions(asked.reviews(ACCESS))) == sorted(["", *targets])


async def test_what_became_of_a_run_is_told_to_those_who_may_see_runs(guarded: Guarded) -> None:
    target, request_id = await register(guarded), str(uuid.uuid4())
    _, metadata = await a_runner_of(guarded, target)
    made = await run(guarded, metadata, target, request_id=request_id)
    asked = {"request_id": request_id, "validate_only": True}
    validated = await run(guarded, metadata, target, **asked)
    assert validated.reply.run_id == made.reply.run_id
    assert validated.reply.message == "The run of this requestId was already made."


def run_questions(reviews: list[dict[str, Any]]) -> list[str]:
    """The names about which `run` was asked, "" for all."""
    attributes = [review["resourceAttributes"] for review in reviews]
    return [each.get("name", "") for each in attributes if each["verb"] == "run"]


async def test_who_may_run_nothing_creates_nothing(guarded: Guarded) -> None:
    target = await register(guarded)
    _, metadata = await a_runner_of(guarded)
    before = await written(guarded.running.cluster, guarded.running.namespace)
    found = await run(guarded, metadata, target)
    assert without_ids(found.reply.jobs[0]) == {"status": "Failed", "error": ABSENT}
    assert found.reply.successful_jobs == 0
    assert await written(guarded.running.cluster, guarded.running.namespace) == before


async def test_who_may_run_but_not_create_jobs_is_refused(guarded: Guarded) -> None:
    target = await register(guarded)
    rule = {"resources": [TARGETS], "verbs": ["run"]}
    await guarded.callers.make_role("only-run", rule)
    metadata = await guarded.callers.make("only-run", "only-run")
    await guarded.callers.until_allowed("only-run", "run", TARGETS)
    found = await run(guarded, metadata, target)
    assert found.code is StatusCode.PERMISSION_DENIED
    assert found.details == "you may not create krknchaosjobs"


async def test_one_request_id_of_two_callers_is_two_requests(guarded: Guarded) -> None:
    target, request_id = await register(guarded), str(uuid.uuid4())
    runner = await guarded.callers.metadata("runner")
    _, other = await a_runner_of(guarded, target)
    first, again, others = [
        await run(guarded, metadata, target, request_id=request_id)
        for metadata in (runner, runner, other)
    ]
    assert first.reply == again.reply
    assert first.reply.jobs[0].job_id != others.reply.jobs[0].job_id
    assert others.reply.successful_jobs == 1
    # And a body of one's own is no news to the other.
    another = await run(guarded, other, target, request_id=request_id, scenario_name="other")
    assert another.code is StatusCode.ALREADY_EXISTS


async def test_nobody_else_is_named_by_a_request(guarded: Guarded) -> None:
    """There is no field for it, and a header with a name counts nothing."""
    target = await register(guarded)
    metadata = await guarded.callers.metadata("runner")
    forged = (*metadata, ("impersonate-user", "admin"), ("x-remote-user", "admin"))
    found = await run(guarded, forged, target)
    path = collection(JOBS, guarded.running.namespace)
    job = await guarded.running.cluster.request("GET", f"{path}/{found.reply.jobs[0].job_id}")
    assert job["spec"]["requestedBy"] == guarded.callers.name("runner")


async def test_an_image_that_is_none_starts_nothing(guarded: Guarded) -> None:
    target = await register(guarded)
    metadata = await guarded.callers.metadata("runner")
    found = await run(guarded, metadata, target, scenario_image="registry.example/krkn-hub/../evil")
    assert found.code is StatusCode.INVALID_ARGUMENT
    assert found.details.startswith("scenarioImage: must be an image reference")


@pytest.mark.parametrize(
    "image",
    [
        "registry.example/krkn-hub-evil",
        "registry.example/evil",
        "registry.example.evil/krkn-hub",
        "evil.example/registry.example/krkn-hub",
    ],
)
async def test_an_image_that_is_not_allowed_starts_nothing(guarded: Guarded, image: str) -> None:
    target = await register(guarded)
    before = await written(guarded.running.cluster, guarded.running.namespace)
    metadata = await guarded.callers.metadata("runner")
    for validate_only in (True, False):
        found = await run(
            guarded, metadata, target, scenario_image=image, validate_only=validate_only
        )
        assert found.code is StatusCode.INVALID_ARGUMENT
        expected = "scenarioImage: is not among the images that this service may run"
        assert found.details == expected
    assert await written(guarded.running.cluster, guarded.running.namespace) == before


async def test_who_runs_on_very_many_keeps_nobody_waiting(guarded: Guarded) -> None:
    """Places for writes go round by caller: here each is held for as long as a target is sought."""
    alice = await guarded.callers.metadata("runner")
    bob = await guarded.callers.make(f"bob-{uuid.uuid4().hex[:8]}", "krkn-runner")
    sought = asyncio.Event()

    async def slow(seen: Call) -> None:
        if seen.method == "GET" and f"/{TARGETS}/" in seen.path:
            sought.set()
            await asyncio.sleep(0.2)

    guarded.proxy.before = slow
    absent = [str(uuid.uuid4()) for _ in range(1_000)]
    many = asyncio.create_task(run(guarded, alice, *absent))
    await sought.wait()
    began = time.monotonic()
    found = await run(guarded, bob, str(uuid.uuid4()))
    took = time.monotonic() - began
    assert found.reply.jobs[0].error == ABSENT
    assert not many.done()
    of_alice = await many
    assert {job.error for job in of_alice.reply.jobs} == {ABSENT}
    assert [job.target_uuid for job in of_alice.reply.jobs] == absent
    assert took < (time.monotonic() - began) / 2
