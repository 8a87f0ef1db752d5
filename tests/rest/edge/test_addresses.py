"""Where a call comes from: behind a proxy, its caller's address; others' claims do not count."""

import contextlib
import socket
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import httpx
import pytest

from tests.rest.edge.proxies import PROXY, caller, http_proxy, tcp_proxy
from tests.rest.edge.refused import sent, status_of
from tests.rest.edge.running import LOOPBACK, SECONDS, Door, at_once, eventually, open_door

RATE = 5
MANY = 6 * RATE
HEALTH = "/api/v1/health"
FLOODER, NEIGHBOUR = "127.0.0.2", "127.0.0.3"


def flood(client: httpx.Client, headers: Callable[[int], dict[str, str]] = lambda _: {}) -> int:
    """Call far more often than one may; returns how many calls were turned away."""
    replies = at_once(
        partial(client.get, HEALTH, headers=headers(number)) for number in range(MANY)
    )
    assert {reply.status_code for reply in replies} <= {200, 429}
    return [reply.status_code for reply in replies].count(429)


@pytest.fixture
def behind_http(tmp_path: Path) -> Iterator[Door]:
    settings = {"client_address": "x-forwarded-for", "trusted_proxies": PROXY, "rate_limit": RATE}
    with open_door(tmp_path, **settings) as opened:
        yield opened


@pytest.fixture
def behind_tcp(tmp_path: Path) -> Iterator[Door]:
    settings = {"client_address": "proxy-protocol", "trusted_proxies": PROXY, "rate_limit": RATE}
    with open_door(tmp_path, **settings) as opened:
        yield opened


def is_seen_as(door: Door, reply: httpx.Response, client: str, proxy: str | None) -> None:
    line = door.access_log_of(reply.headers["x-request-id"])
    assert (line["client"], line.get("proxy")) == (client, proxy)


@pytest.mark.parametrize("kind", ["http", "tcp"])
def test_callers_behind_one_proxy_have_limits_of_their_own(
    tmp_path: Path, request: pytest.FixtureRequest, kind: str
) -> None:
    door: Door = request.getfixturevalue(f"behind_{kind}")
    proxy = http_proxy if kind == "http" else tcp_proxy
    with (
        proxy(tmp_path, door) as url,
        caller(FLOODER, url) as flooder,
        caller(NEIGHBOUR, url) as neighbour,
    ):
        assert flood(flooder) > RATE
        reply = neighbour.get(HEALTH)
        assert reply.status_code == 200
        is_seen_as(door, reply, NEIGHBOUR, PROXY)


def test_so_have_callers_by_grpc(tmp_path: Path, behind_tcp: Door) -> None:
    def call(address: str) -> httpx.Response:
        # Its library cannot send several calls at once.
        with caller(address, url, http2=True) as client:
            return sent(client, "HealthService/GetHealth", {})

    with tcp_proxy(tmp_path, behind_tcp) as url:
        replies = at_once([partial(call, FLOODER)] * MANY)
        refused = [reply for reply in replies if "grpc-status" in reply.headers]
        assert len(refused) > RATE
        assert {status_of(reply) for reply in refused} == {(8, "TOO_MANY_CALLS", 1)}
        assert "grpc-status" not in call(NEIGHBOUR).headers


def test_so_have_their_uploads(tmp_path: Path) -> None:
    settings = {"client_address": "proxy-protocol", "trusted_proxies": PROXY}
    upload = (
        b"POST /api/v1/operator/targets HTTP/1.1\r\nhost: x\r\n"
        b"content-type: application/json\r\ncontent-length: 2000000\r\n\r\n"
    )
    with (
        open_door(tmp_path, envoy_max_heap_mib=64, **settings) as door,
        contextlib.ExitStack() as stack,
    ):

        def answer(address: str, within_seconds: float = 0.3) -> bytes:
            """What is said in this time to an upload that does not come."""
            to = (LOOPBACK, door.settings.rest_port)
            connection = stack.enter_context(
                socket.create_connection(to, SECONDS, source_address=(PROXY, 0))
            )
            connection.sendall(f"PROXY TCP4 {address} {LOOPBACK} 40000 443\r\n".encode() + upload)
            connection.settimeout(within_seconds)
            with contextlib.suppress(TimeoutError):
                return connection.recv(65536)
            return b""

        first, *_ = [answer(FLOODER) for _ in range(4)]
        assert first == b""
        assert b"too many of your requests are on their way" in answer(FLOODER, SECONDS)
        assert answer(NEIGHBOUR) == b""


def test_what_a_caller_writes_before_the_proxy_gains_nothing(
    tmp_path: Path, behind_http: Door
) -> None:
    with http_proxy(tmp_path, behind_http) as url, caller(FLOODER, url) as flooder:
        assert flood(flooder, lambda n: {"x-forwarded-for": f"10.0.0.{n}, {PROXY}"}) > RATE
        eventually(lambda: (reply := flooder.get(HEALTH)).status_code == 200 and reply)
    assert '"client":"10.' not in behind_http.access_log.read_text()


def test_what_others_than_the_proxy_say_is_not_believed(behind_http: Door) -> None:
    with caller(FLOODER, behind_http.url) as flooder:
        first = flooder.get(HEALTH, headers={"x-forwarded-for": "10.0.0.1"})
        is_seen_as(behind_http, first, FLOODER, None)
        assert flood(flooder, lambda n: {"x-forwarded-for": f"10.0.0.{n}"}) > RATE


def test_without_the_setting_nobody_is_believed(tmp_path: Path) -> None:
    with open_door(tmp_path, rate_limit=RATE) as door, caller(PROXY, door.url) as flooder:
        is_seen_as(door, flooder.get(HEALTH, headers={"x-forwarded-for": "10.0.0.1"}), PROXY, None)
        assert flood(flooder, lambda n: {"x-forwarded-for": f"10.0.0.{n}"}) > RATE


def test_each_proxy_on_the_way_is_one_hop(tmp_path: Path) -> None:
    settings = {
        "client_address": "x-forwarded-for",
        "trusted_proxies": f"10.1.0.0/16,{PROXY}",
        "trusted_hops": 2,
    }
    with open_door(tmp_path, **settings) as door, caller(PROXY, door.url) as proxy:
        for forwarded, client in (
            ("6.6.6.6, 192.0.2.7, 203.0.113.1", "192.0.2.7"),
            # With less than that, somebody else has written it.
            ("192.0.2.7", PROXY),
            ("not, an address", PROXY),
        ):
            reply = proxy.get(HEALTH, headers={"x-forwarded-for": forwarded})
            is_seen_as(door, reply, client, PROXY)


def test_a_network_of_ipv6_is_one_caller(behind_http: Door) -> None:
    def from_(address: str) -> int:
        return proxy.get(HEALTH, headers={"x-forwarded-for": address}).status_code

    with caller(PROXY, behind_http.url) as proxy:
        # Its addresses, of which there are more than any table has room for.
        flooded = at_once(partial(from_, f"2001:db8::{number:x}:1") for number in range(1, MANY))
        assert flooded.count(429) > RATE
        for neighbour in ("2001:db8:0:1::1", "2001:db8:1::", "::1", "192.0.2.1"):
            assert from_(neighbour) == 200, neighbour


def test_ipv6_by_the_proxy_protocol(behind_tcp: Door) -> None:
    reply = raw(behind_tcp, b"PROXY TCP6 2001:db8::7 2001:db8::1 40000 443\r\n", PROXY)
    assert reply.startswith(b"HTTP/1.1 200 ")
    eventually(lambda: '"client":"2001:db8::7"' in behind_tcp.access_log.read_text())


@pytest.mark.parametrize(
    ("header", "address"),
    [
        pytest.param(b"PROXY TCP4 10.0.0.1 10.0.0.2 40000 443\r\n", FLOODER, id="of a stranger"),
        pytest.param(b"", FLOODER, id="none, of a stranger"),
        pytest.param(b"", PROXY, id="none, of the proxy"),
        pytest.param(b"PROXY TCP4 10.0.0.1\r\n", PROXY, id="half of one"),
    ],
)
def test_a_connection_without_a_header_of_the_proxy_is_closed(
    behind_tcp: Door, header: bytes, address: str
) -> None:
    assert raw(behind_tcp, header, address) == b""
    assert behind_tcp.upstream.calls == []


def raw(door: Door, header: bytes, address: str) -> bytes:
    """What comes back for a call after `header`."""
    to = (LOOPBACK, door.settings.rest_port)
    with (
        socket.create_connection(to, SECONDS, source_address=(address, 0)) as connection,
        contextlib.suppress(ConnectionError),
    ):
        call = f"GET {HEALTH} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
        connection.sendall(header + call.encode())
        return b"".join(iter(lambda: connection.recv(65536), b""))
    return b""
