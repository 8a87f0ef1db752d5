"""HaltService over gRPC and REST: halts are made, listed and deleted, whoever made them."""

import asyncio
import uuid

import grpc
import pytest

from krkn_grpc.v1 import halts_pb2 as pb
from tests.integration.halts.conftest import Halting
from tests.support.custom_objects import HALTS, MERGE, Manifest, collection
from tests.support.halts import halt, path_of
from tests.support.rest import assert_error, assert_invalid
from tests.support.rpc import refused
from tests.support.waiting import eventually

PATH = "/api/v1/halts"


async def stored(halting: Halting) -> list[Manifest]:
    listed = await halting.site.cluster.request("GET", collection(HALTS, halting.site.namespace))
    items: list[Manifest] = listed["items"]
    return items


async def test_the_life_of_a_halt_by_rest(halting: Halting) -> None:
    body = {"reason": "an incident", "targetSelector": "env=prod"}
    made = await halting.rest.post(PATH, body)
    assert made.status == 201
    assert made.body.items() >= body.items()
    assert made.body.keys() == {"name", "reason", "by", "since", "targetSelector"}
    [found] = await stored(halting)
    assert found["metadata"]["name"] == made.body["name"]
    assert found["spec"] == {"since": made.body["since"], **body}
    listed = await halting.rest.get(PATH)
    assert (listed.status, listed.body) == (200, {"halts": [made.body], "nextPageToken": ""})
    gone = await halting.rest.delete(f"{PATH}/{made.body['name']}")
    assert (gone.status, gone.body["name"]) == (200, made.body["name"])
    assert gone.body["message"]
    assert await stored(halting) == []
    assert (await halting.rest.get(PATH)).body == {"halts": [], "nextPageToken": ""}
    assert_error(await halting.rest.delete(f"{PATH}/{made.body['name']}"), 404, 5, "NOT_FOUND")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "reason"),
        ({"reason": " "}, "reason"),
        ({"reason": "a\nb"}, "reason"),
        ({"reason": "a" * 1025}, "reason"),
        ({"reason": "a", "targetSelector": "env=("}, "targetSelector"),
        ({"reason": "a", "targetSelector": "a" * 32_769}, "targetSelector"),
    ],
)
async def test_what_cannot_be_meant_is_refused(
    halting: Halting, body: dict[str, str], field: str
) -> None:
    assert_invalid(await halting.rest.post(PATH, body), field)
    assert await stored(halting) == []


async def test_a_misspelt_field_halts_nothing(halting: Halting) -> None:
    reply = await halting.rest.post(PATH, {"reason": "a", "selector": "env=prod"})
    assert reply.status == 400
    assert await stored(halting) == []


async def test_a_repeated_call_answers_the_same_halt(halting: Halting) -> None:
    made = await asyncio.gather(*(halting.create(selector="env=prod") for _ in range(5)))
    assert len({halt.name for halt in made}) == 1
    other = await halting.create("another reason", "env=prod")
    wider = await halting.create()
    assert len({made[0].name, other.name, wider.name}) == 3
    await halting.delete(made[0].name)
    again = await halting.create(selector="env=prod")
    assert set(await halting.names()) == {again.name, other.name, wider.name}


async def test_a_halt_that_others_have_changed_is_left_alone(halting: Halting) -> None:
    first = await halting.create()
    path = f"{collection(HALTS, halting.site.namespace)}/{first.name}"
    narrower = {"spec": {"targetSelector": "env=prod"}}
    await halting.site.cluster.request("PATCH", path, narrower, MERGE)
    second = await halting.create()
    assert second.name != first.name
    assert second.target_selector == ""


async def test_those_of_kubectl_are_listed_and_lifted_like_others(halting: Halting) -> None:
    cluster, namespace = halting.site.cluster, halting.site.namespace
    since = "2026-01-02T03:04:05Z"
    one = await halt(cluster, namespace, reason="r", by="me", since=since, targetSelector="a=b")
    bare = await halt(cluster, namespace)
    bad = await halt(cluster, namespace, targetSelector="env=(")
    dotted = {"apiVersion": one["apiVersion"], "kind": one["kind"], "metadata": {"name": "a.b-c.1"}}
    await cluster.request("POST", collection(HALTS, namespace), dotted)

    async def listed() -> dict[str, pb.Halt]:
        reply = await halting.stub().ListHalts(pb.ListHaltsRequest())
        return {each.name: each for each in reply.halts}

    shown = await eventually(listed, lambda found: len(found) == 4)
    first = shown[one["metadata"]["name"]]
    assert (first.reason, first.by, first.since, first.target_selector) == ("r", "me", since, "a=b")
    assert not first.HasField("message")
    second = shown[bare["metadata"]["name"]]
    assert (second.reason, second.by, second.target_selector) == ("", "", "")
    assert second.since == bare["metadata"]["creationTimestamp"]
    third = shown[bad["metadata"]["name"]]
    assert third.target_selector == "env=("
    assert "every target is halted" in third.message
    for name in shown:
        assert (await halting.rest.delete(f"{PATH}/{name}")).status == 200
    assert await stored(halting) == []


@pytest.mark.parametrize(
    "name", ["", "A", "a_b", "a/b", "../krknchaosjobs", "a..b", "-a", "a" * 254, "\0", "ä", " a"]
)
async def test_what_can_be_no_name_goes_nowhere(halting: Halting, name: str) -> None:
    await halting.create()
    reason = await refused(halting.stub().DeleteHalt(pb.DeleteHaltRequest(name=name)))
    assert (reason.code, reason.message) == (
        grpc.StatusCode.NOT_FOUND,
        "there is no such halt",
    )
    assert len(await stored(halting)) == 1


async def test_a_halt_that_is_held_by_a_finalizer_is_gone_for_us(halting: Halting) -> None:
    made = await halt(halting.site.cluster, halting.site.namespace)
    held = {"metadata": {"finalizers": ["example.com/held"]}}
    await halting.site.cluster.request("PATCH", path_of(made), held, MERGE)
    await eventually(halting.names)
    assert (await halting.rest.delete(f"{PATH}/{made['metadata']['name']}")).status == 200
    assert await halting.names() == []
    free = {"metadata": {"finalizers": None}}
    await halting.site.cluster.request("PATCH", path_of(made), free, MERGE)


async def test_pages_have_each_halt_once(halting: Halting) -> None:
    made = {(await halting.create(f"reason {number}")).name for number in range(7)}
    found: list[str] = []
    token = ""
    while True:
        page = await halting.stub().ListHalts(pb.ListHaltsRequest(page_size=3, page_token=token))
        found += [each.name for each in page.halts]
        if not (token := page.next_page_token):
            break
    assert len(found) == 7
    assert set(found) == made
    for wrong in ({"page_size": -1}, {"page_size": 1001}, {"page_token": uuid.uuid4().hex}):
        reason = await refused(halting.stub().ListHalts(pb.ListHaltsRequest(**wrong)))
        assert reason.code is grpc.StatusCode.INVALID_ARGUMENT
