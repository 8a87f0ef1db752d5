"""What is asked of the API server about a caller, how often, and what becomes of no answer."""

import asyncio
import time
import uuid

import pytest
from grpc import StatusCode

from tests.integration.auth.callers import AUDIENCE, GROUP
from tests.integration.auth.calls import METHODS, Outcome, a_request, call
from tests.integration.auth.conftest import Guarded, forgotten, most_asked
from tests.integration.auth.test_matrix import MAY
from tests.support.accounts import RBAC
from tests.support.api_proxy import Call, Cut
from tests.support.custom_objects import JOBS, TARGETS
from tests.support.requests import a_run, token_target
from tests.support.waiting import eventually

TOKENS, ACCESS = "tokenreviews", "subjectaccessreviews"


async def test_everything_that_is_known_of_the_caller_is_asked_about(guarded: Guarded) -> None:
    metadata = await guarded.callers.make("asked-about", "krkn-viewer")
    await guarded.callers.until_allowed("asked-about", "list", JOBS)
    name = str(uuid.uuid4())
    with guarded.watched() as asked:
        await call(guarded.running.channel, "GetTarget", metadata, uuid=name)
    [token] = asked.reviews(TOKENS)
    assert token == {"token": metadata[0][1].removeprefix("Bearer "), "audiences": [AUDIENCE]}
    [access] = asked.reviews(ACCESS)
    assert access["user"] == guarded.callers.name("asked-about")
    assert "system:authenticated" in access["groups"]
    assert access["uid"]
    assert access["extra"]
    assert access["resourceAttributes"] == {
        "namespace": guarded.running.namespace,
        "group": GROUP,
        "version": "v1alpha1",
        "verb": "get",
        "resource": TARGETS,
        "name": name,
    }


async def test_a_log_is_a_subresource(guarded: Guarded) -> None:
    with guarded.watched() as asked:
        await call(guarded.running.channel, "StreamLogs", await guarded.callers.metadata("nobody"))
    [access] = asked.reviews(ACCESS)
    attributes = access["resourceAttributes"]
    assert (attributes["verb"], attributes["resource"]) == ("get", JOBS)
    assert attributes["subresource"] == "log"


NO_IDS = [
    "",
    "x",
    "../../secrets/x",
    "..%2Fx",
    "*",
    "a" * 10_000,
    str(uuid.uuid4()).upper(),
    f"{{{uuid.uuid4()}}}",
    f"{uuid.uuid4()} ",
    f"{uuid.uuid4()}\n",
    "\0",
]
NAMED = [
    name
    for name, method in METHODS.items()
    if {"uuid", "job_id"} & {*method.input_type.fields_by_name}
]


@pytest.mark.parametrize("no_id", NO_IDS)
@pytest.mark.parametrize("method", NAMED)
async def test_what_is_no_id_goes_nowhere(guarded: Guarded, method: str, no_id: str) -> None:
    account = "target-admin" if "target-admin" in MAY[method][0] else "runner"
    field = "uuid" if "uuid" in METHODS[method].input_type.fields_by_name else "job_id"
    with guarded.watched() as asked:
        found = await call(
            guarded.running.channel,
            method,
            await guarded.callers.metadata(account),
            request=a_request(method, **{field: no_id}),
        )
    assert found.code is StatusCode.NOT_FOUND, found
    for access in asked.reviews(ACCESS):
        assert "name" not in access["resourceAttributes"]
    assert not [seen for seen in asked.calls if not seen.path.endswith("reviews")]


@pytest.mark.parametrize("method", ["GetTarget", "UpdateTarget", "DeleteTarget"])
async def test_who_may_not_sees_no_difference_between_there_and_not_there(
    guarded: Guarded, method: str
) -> None:
    channel, callers = guarded.running.channel, guarded.callers
    new = token_target()
    created = await call(
        channel,
        "CreateTarget",
        await callers.metadata("target-admin"),
        cluster_name=new["clusterName"],
        secret_type=new["secretType"],
        cluster_api_url=new["clusterAPIURL"],
        token=new["token"],
    )
    nobody = await callers.metadata("nobody")
    with guarded.watched() as asked:
        answers = [
            await call(channel, method, nobody, uuid=name)
            for name in (created.reply.uuid, str(uuid.uuid4()), "x")
        ]
    assert answers == [Outcome(StatusCode.PERMISSION_DENIED, answers[0].details)] * 3
    # Nothing was looked up.
    assert {seen.path.rpartition("/")[2] for seen in asked.calls} <= {TOKENS, ACCESS}


async def test_answers_are_used_again_for_seconds(guarded: Guarded) -> None:
    metadata = await guarded.callers.metadata("viewer")
    await forgotten()
    with guarded.watched() as asked:
        began = time.monotonic()
        for _ in range(20):
            await call(guarded.running.channel, "ListTargets", metadata)
    assert 1 <= len(asked.reviews(TOKENS)) <= most_asked(began)
    assert 1 <= len(asked.reviews(ACCESS)) <= most_asked(began)
    await forgotten()
    with guarded.watched() as asked:
        await call(guarded.running.channel, "ListTargets", metadata)
    assert len(asked.reviews(TOKENS)) == len(asked.reviews(ACCESS)) == 1


async def test_a_stranger_is_asked_about_once(guarded: Guarded) -> None:
    stranger = (("authorization", f"Bearer {uuid.uuid4()}"),)
    with guarded.watched() as asked:
        began = time.monotonic()
        for _ in range(20):
            await call(guarded.running.channel, "ListTargets", stranger)
    assert 1 <= len(asked.reviews(TOKENS)) <= most_asked(began)


@pytest.mark.parametrize("kind", [TOKENS, ACCESS])
async def test_without_an_answer_nobody_passes_and_nobody_is_remembered_for_it(
    guarded: Guarded, kind: str
) -> None:
    metadata = await guarded.callers.metadata("viewer")
    await forgotten()

    async def cut(seen: Call) -> None:
        if seen.path.endswith(kind):
            raise Cut

    guarded.proxy.before = cut
    found = await call(guarded.running.channel, "ListTargets", metadata)
    assert found.code is StatusCode.UNAVAILABLE, found
    assert found.details == "the Kubernetes API cannot be reached now"
    with guarded.watched():
        found = await call(guarded.running.channel, "ListTargets", metadata)
    assert found.code is StatusCode.OK, found


async def test_an_api_server_that_says_nothing_is_not_waited_for_long(guarded: Guarded) -> None:
    metadata = await guarded.callers.metadata("viewer")
    await forgotten()

    async def hold(seen: Call) -> None:
        if seen.path.endswith("reviews"):
            await asyncio.sleep(60)

    guarded.proxy.before = hold
    found = await call(guarded.running.channel, "ListTargets", metadata)
    assert found.code is StatusCode.UNAVAILABLE, found


async def test_many_calls_of_one_caller_ask_once_and_one_that_leaves_harms_none(
    guarded: Guarded,
) -> None:
    metadata = await guarded.callers.metadata("viewer")
    await forgotten()
    arrived, may_pass = asyncio.Event(), asyncio.Event()

    with guarded.watched() as asked:
        note = guarded.proxy.before

        async def hold(seen: Call) -> None:
            await note(seen)
            if seen.path.endswith(TOKENS):
                arrived.set()
                await may_pass.wait()

        guarded.proxy.before = hold
        first = asyncio.create_task(call(guarded.running.channel, "ListTargets", metadata))
        await arrived.wait()
        others = [
            asyncio.create_task(call(guarded.running.channel, "ListTargets", metadata))
            for _ in range(20)
        ]
        await asyncio.sleep(0.1)  # They reach the server meanwhile, or ask after the answer.
        first.cancel()
        answered = time.monotonic()
        may_pass.set()
        found = await asyncio.gather(*others)
    assert {each.code for each in found} == {StatusCode.OK}
    assert 1 <= len(asked.reviews(TOKENS)) <= most_asked(answered)


async def test_a_role_that_is_taken_away_is_gone_in_seconds(guarded: Guarded) -> None:
    metadata = await guarded.callers.make("demoted", "krkn-viewer")
    await guarded.callers.until_allowed("demoted", "list", JOBS)
    assert (await call(guarded.running.channel, "ListTargets", metadata)).code is StatusCode.OK
    await guarded.callers.unbind("demoted", "krkn-viewer")
    await eventually(
        lambda: call(guarded.running.channel, "ListTargets", metadata),
        lambda found: found.code is StatusCode.PERMISSION_DENIED,
    )


async def test_a_server_that_may_not_ask_lets_nobody_in_and_blames_nobody(
    guarded: Guarded,
) -> None:
    """Its own account's 403 is neither the caller's nor a secret to the operator."""
    cluster, namespace = guarded.running.cluster, guarded.running.namespace
    bindings = await cluster.request("GET", f"/apis/{RBAC}/v1/clusterrolebindings")
    [binding] = [
        each
        for each in bindings["items"]
        if each["metadata"]["name"].startswith("krkn-grpc-reviews.")
        and each["subjects"][0]["namespace"] == namespace
    ]
    metadata = await guarded.callers.metadata("viewer")
    path = f"/apis/{RBAC}/v1/clusterrolebindings"
    await cluster.request("DELETE", f"{path}/{binding['metadata']['name']}")
    try:
        found = await eventually(
            lambda: call(guarded.running.channel, "ListTargets", metadata),
            lambda found: found.code is not StatusCode.OK,
        )
        assert found.code is StatusCode.UNAVAILABLE, found
        assert "forbidden" not in found.details
        [*_, last] = [event for event in guarded.events if event["event"] == "call failed"]
        assert "Review: NotAuthorized: 403 Forbidden (no role allows it)" in last["error"]
    finally:
        again = {
            name: binding["metadata"][name]
            for name in ("name", "labels")
            if name in binding["metadata"]
        }
        await cluster.request(
            "POST",
            path,
            {
                "apiVersion": f"{RBAC}/v1",
                "kind": "ClusterRoleBinding",
                "metadata": again,
                "roleRef": binding["roleRef"],
                "subjects": binding["subjects"],
            },
        )
        await eventually(
            lambda: call(guarded.running.channel, "ListTargets", metadata),
            lambda found: found.code is StatusCode.OK,
        )


async def test_a_validation_needs_what_the_run_would_need(guarded: Guarded) -> None:
    run = a_run(str(uuid.uuid4()))
    for account, code in (("viewer", StatusCode.PERMISSION_DENIED), ("runner", StatusCode.OK)):
        found = await call(
            guarded.running.channel,
            "RunScenario",
            await guarded.callers.metadata(account),
            target_uuids=run["targetUUIDs"],
            scenario_image=run["scenarioImage"],
            scenario_name=run["scenarioName"],
            validate_only=True,
        )
        assert found.code is code, found


async def test_who_is_denied_again_and_again_is_asked_about_slowly(guarded: Guarded) -> None:
    metadata = await guarded.callers.make(f"guesser-{uuid.uuid4().hex[:8]}")
    viewer = await guarded.callers.metadata("viewer")
    with guarded.watched() as asked:
        began = time.monotonic()
        guesses = [
            asyncio.create_task(call(guarded.running.channel, "GetTarget", metadata))
            for _ in range(400)
        ]
        for _ in range(10):
            assert (
                await call(guarded.running.channel, "ListTargets", viewer)
            ).code is StatusCode.OK
        codes = {found.code for found in await asyncio.gather(*guesses)}
        for _ in range(50):
            found = await call(guarded.running.channel, "GetTarget", metadata)
            codes.add(found.code)
    assert codes == {StatusCode.PERMISSION_DENIED}
    assert time.monotonic() - began >= 0.5
    # Each is answered by the API server all the same.
    assert len([spec for spec in asked.reviews(ACCESS) if spec["user"].count("guesser")]) == 450
