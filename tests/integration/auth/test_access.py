"""What a caller is told about their own permissions is what the calls themselves are answered."""

import asyncio
from typing import Any

import pytest
from grpc import StatusCode

from krkn_grpc.server.auth.policy import METHODS as RULES
from krkn_grpc.server.auth.policy import Protected, permissions
from tests.integration.auth.callers import Metadata
from tests.integration.auth.calls import call
from tests.integration.auth.conftest import Guarded, forgotten
from tests.integration.auth.test_matrix import MAY, ROLES
from tests.support.api_proxy import Call, Cut
from tests.support.custom_objects import TARGETS
from tests.support.running import Running
from tests.support.waiting import eventually

EVERYTHING = {(verb, resource) for resource, verb in permissions()}


async def access(guarded: Guarded, metadata: Metadata) -> set[tuple[str, str]]:
    """The caller's permissions, as (verb, resource)."""
    found = await call(guarded.running.channel, "GetAccess", metadata)
    assert found.code is StatusCode.OK, found
    return {(each.verb, each.resource) for each in found.reply.allowed}


def needed(rule: Any) -> set[tuple[str, str]]:
    """The permissions that a call with this rule needs."""
    if not isinstance(rule, Protected):
        return set()
    return {(rule.verb, rule.what)} | needed(rule.also)


@pytest.mark.parametrize("account", ROLES)
async def test_an_account_is_told_what_the_methods_say(guarded: Guarded, account: str) -> None:
    metadata = await guarded.callers.metadata(account)
    allowed = await access(guarded, metadata)
    told = {
        path.rpartition("/")[2] for path, rule in RULES.items() if needed(rule) - allowed == set()
    }
    answered = {method for method, (roles, _) in MAY.items() if account in roles.split()}
    assert told & MAY.keys() == answered
    assert (("run", TARGETS) in allowed) == (account == "runner")


async def test_the_caller_is_named(guarded: Guarded) -> None:
    found = await call(
        guarded.running.channel, "GetAccess", await guarded.callers.metadata("viewer")
    )
    assert found.reply.user == guarded.callers.name("viewer")
    assert found.reply.namespace == guarded.running.namespace
    resources = [(each.resource, each.verb) for each in found.reply.allowed]
    assert resources == sorted(resources) != []


async def test_a_permission_for_one_object_is_not_one_for_all(guarded: Guarded) -> None:
    only = {"resources": [TARGETS], "verbs": ["get"], "resourceNames": ["one-target"]}
    await guarded.callers.make_role("reader-of-one", only)
    metadata = await guarded.callers.make("reads-one", "reader-of-one")
    await guarded.callers.until_allowed("reads-one", "get", TARGETS, "one-target")
    assert await access(guarded, metadata) == set()


async def test_a_new_role_is_told_within_seconds(guarded: Guarded) -> None:
    metadata = await guarded.callers.make("newcomer")
    assert await access(guarded, metadata) == set()
    await guarded.callers.make("newcomer", "krkn-halter")
    await eventually(
        lambda: access(guarded, metadata), lambda allowed: ("create", "krknchaoshalts") in allowed
    )


async def test_many_calls_ask_for_each_permission_once(guarded: Guarded) -> None:
    metadata = await guarded.callers.metadata("viewer")
    await forgotten()
    with guarded.watched() as asked:
        await asyncio.gather(*(access(guarded, metadata) for _ in range(15)))
    attributes = [each["resourceAttributes"] for each in asked.reviews("subjectaccessreviews")]
    assert len(attributes) == len(EVERYTHING)
    assert {
        (each["verb"], "/".join(filter(None, (each["resource"], each.get("subresource")))))
        for each in attributes
    } == EVERYTHING
    assert len(asked.reviews("tokenreviews")) == 1
    assert not [seen for seen in asked.calls if not seen.path.endswith("reviews")]


async def test_without_an_answer_nothing_is_told(guarded: Guarded) -> None:
    """Half of the permissions would look like all."""
    metadata = await guarded.callers.metadata("viewer")
    await forgotten()

    async def cut(seen: Call) -> None:
        if b'"update"' in seen.body:
            raise Cut

    guarded.proxy.before = cut
    found = await call(guarded.running.channel, "GetAccess", metadata)
    assert found.code is StatusCode.UNAVAILABLE


async def test_without_authentication_everybody_may_everything(shared_services: Running) -> None:
    async with shared_services.rest.get("/api/v1/access") as response:
        body = await response.json()
    assert response.status == 200
    assert body["user"] == ""
    assert {(each["verb"], each["resource"]) for each in body["allowed"]} == EVERYTHING
