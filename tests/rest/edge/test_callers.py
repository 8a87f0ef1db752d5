"""Callers behind one address have limits of their own once the server knows them.

Made-up tokens gain nothing.
"""

import contextlib
import socket
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import grpc
import httpx
import pytest

from krkn_grpc.edge import lua_script
from krkn_grpc.v1 import targets_pb2
from tests.rest.edge.refused import CREATE, UNARY, Told, ask, refusal, status
from tests.rest.edge.running import LOOPBACK, SECONDS, Door, at_once, eventually, open_door

RATE = 5
MANY = 6 * RATE
ROOM, OF_ONE = 8, 3
TARGETS = "/api/v1/operator/targets"


def token(name: str) -> dict[str, str]:
    return {"authorization": f"Bearer {name}"}


@pytest.fixture
def revoked() -> set[str]:
    """Tokens that the server does not accept any more."""
    return set()


@pytest.fixture
def door(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, revoked: set[str]) -> Iterator[Door]:
    """With little room for known tokens; the server knows tokens like `alice-1`, of alice."""
    monkeypatch.setattr(lua_script, "KNOWN_TOKENS", ROOM)
    monkeypatch.setattr(lua_script, "KNOWN_TOKENS_OF_ONE", OF_ONE)

    def reply(_: object, context: grpc.ServicerContext) -> targets_pb2.ListTargetsResponse:
        metadata = {key: str(value) for key, value in context.invocation_metadata()}
        given = metadata.get("authorization", "").removeprefix("Bearer ")
        name, _, number = given.partition("-")
        if not number or given in revoked:
            context.abort(grpc.StatusCode.UNAUTHENTICATED, "a valid token is needed")
        context.set_trailing_metadata((("krkn-user", name),))
        return targets_pb2.ListTargetsResponse()

    with open_door(tmp_path, rate_limit=RATE, envoy_max_heap_mib=64) as opened:
        opened.upstream.on("ListTargets", reply)
        yield opened


def flood(client: httpx.Client, *tokens: str) -> list[int]:
    """Call far more often than one may, with the tokens in turn."""
    sent = [tokens[number % len(tokens)] for number in range(MANY)]
    replies = at_once(partial(client.get, TARGETS, headers=token(each)) for each in sent)
    return [reply.status_code for reply in replies]


def answers(client: httpx.Client, name: str, status: int) -> bool:
    """Whether a call with this token is answered so."""
    return client.get(TARGETS, headers=token(name)).status_code == status


def become_known(client: httpx.Client, *tokens: str) -> None:
    for each in tokens:
        eventually(partial(answers, client, each, 200))


@pytest.fixture
def client(door: Door) -> Iterator[httpx.Client]:
    # One worker: all connections share a table.
    with door.client() as opened:
        yield opened


def test_one_floods_and_the_other_does_not_notice(client: httpx.Client) -> None:
    become_known(client, "alice-1", "bob-1")
    assert flood(client, "alice-1").count(429) > RATE
    assert client.get(TARGETS, headers=token("bob-1")).status_code == 200
    # Nor does a stranger, whose limits are those of the address.
    assert client.get(TARGETS).status_code == 401


def test_made_up_tokens_do_not_leave_the_limits_of_the_address(client: httpx.Client) -> None:
    become_known(client, "bob-1")
    made_up = [f"mallory{number}" for number in range(MANY)]
    assert flood(client, *made_up).count(429) > RATE
    assert client.get(TARGETS, headers=token("bob-1")).status_code == 200


def test_made_up_tokens_take_no_room(client: httpx.Client) -> None:
    for number in range(ROOM + 2):
        eventually(partial(answers, client, f"mallory{number}", 401))
    become_known(client, "bob-1")
    assert flood(client, "nobody").count(429) > RATE
    assert client.get(TARGETS, headers=token("bob-1")).status_code == 200


def test_more_tokens_are_not_more_calls(client: httpx.Client) -> None:
    mine = [f"alice-{number}" for number in range(OF_ONE)]
    become_known(client, *mine)
    assert flood(client, *mine).count(429) > RATE


def test_one_caller_does_not_take_the_room_of_others(client: httpx.Client) -> None:
    become_known(client, *(f"alice-{number}" for number in range(ROOM + 1)))
    become_known(client, "bob-1")
    assert flood(client, "nobody").count(429) > RATE
    assert client.get(TARGETS, headers=token("bob-1")).status_code == 200


def test_a_token_that_is_refused_is_forgotten(client: httpx.Client, revoked: set[str]) -> None:
    become_known(client, "alice-1", "alice-2")
    revoked.add("alice-1")
    assert client.get(TARGETS, headers=token("alice-1")).status_code == 401
    flood(client, "alice-1")
    # What it does now is charged to the address, and no longer to alice.
    assert client.get(TARGETS, headers=token("alice-2")).status_code == 200


def test_grpc_callers_are_known_by_the_same_table(door: Door, client: httpx.Client) -> None:
    with door.channel() as channel:
        call = channel.unary_unary("/krkn.v1.TargetService/ListTargets", bytes, bytes)
        call(b"", metadata=tuple(token("alice-1").items()), timeout=SECONDS)
    assert flood(client, "nobody").count(429) > RATE
    assert client.get(TARGETS, headers=token("alice-1")).status_code == 200


def test_one_floods_by_grpc_and_the_other_does_not_notice(door: Door, client: httpx.Client) -> None:
    become_known(client, "alice-1", "bob-1")

    def told(channel: grpc.Channel, name: str) -> Told | None:
        with contextlib.suppress(AssertionError):
            return status(refusal(lambda: ask(channel, UNARY, b"", *token(name).items())))
        return None

    with door.channel() as channel:
        flooded = at_once([partial(told, channel, "alice-1")] * MANY)
        assert flooded.count((8, "TOO_MANY_CALLS", 1)) > RATE
        assert told(channel, "bob-1") is None


def unfinished(door: Door, name: str, length: int) -> socket.socket:
    """A request of which the body does not come."""
    connection = socket.create_connection((LOOPBACK, door.settings.rest_port), SECONDS)
    connection.sendall(
        f"POST {TARGETS} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
        f"authorization: Bearer {name}\r\ncontent-length: {length}\r\n\r\n".encode()
    )
    return connection


def test_uploads_of_one_leave_room_for_others_behind_the_address(
    door: Door, client: httpx.Client
) -> None:
    become_known(client, "alice-1", "bob-1")

    def is_refused(connection: socket.socket, within_seconds: float) -> bool:
        connection.settimeout(within_seconds)
        with contextlib.suppress(TimeoutError):
            return connection.recv(100).startswith(b"HTTP/1.1 429 ")
        return False

    with contextlib.ExitStack() as stack:
        of_alice = [stack.enter_context(unfinished(door, "alice-1", 2_000_000)) for _ in range(5)]
        assert is_refused(of_alice[-1], SECONDS)
        assert not is_refused(stack.enter_context(unfinished(door, "bob-1", 2_000_000)), 0.5)


def test_uploads_leave_room_for_calls_by_grpc_of_others_alone(
    door: Door, client: httpx.Client
) -> None:
    become_known(client, "alice-1", "bob-1")
    with contextlib.ExitStack() as stack:
        # Four take the share of one caller, but for less than a call by gRPC counts.
        for _ in range(4):
            stack.enter_context(unfinished(door, "alice-1", 2_060_000))
        channel = stack.enter_context(door.channel())

        def is_refused() -> bool:
            error = refusal(lambda: ask(channel, CREATE, b"", *token("alice-1").items()), 100)
            assert status(error) == (8, "TOO_MANY_CALLS", 1)
            return "on their way" in str(error)

        eventually(is_refused)
        ask(channel, CREATE, b"", *token("bob-1").items())
