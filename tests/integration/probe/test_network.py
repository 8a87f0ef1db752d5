"""Where a look goes: names, refused addresses, proxies; and many looks at once."""

import asyncio
import socket
from collections.abc import AsyncIterator
from ipaddress import IPv4Network, IPv6Network

import aiodns
import pytest

from controller.resolver import SystemResolver
from controller.targets.probe import probe
from controller.targets.probe.result import ProbeReason
from krkn_grpc.resources.addresses import AddressRules
from krkn_grpc.resources.kubeconfig import (
    Kubeconfig,
    Token,
    from_token,
)
from tests.integration.probe.probing import (
    AUTHORITY,
    BRIEF,
    CANARY,
    GOOD_CONTEXT,
    LOCAL,
    PATIENT,
    Names,
    black_hole,
    look,
    open_files,
    until,
    with_token,
)
from tests.integration.probe.servers import (
    CacheChange,
    Script,
    answer,
    review,
    says,
    says_nothing,
    serving,
)

# --- names ---


async def test_a_name_is_resolved_once_and_all_its_addresses_are_checked() -> None:
    async with serving(says(answer(201, review())), GOOD_CONTEXT) as seen:
        names = Names(cluster=["127.0.0.1"], mixed=["127.0.0.1", "169.254.169.254"])
        by_name = with_token(seen, host="cluster.example")
        assert (await look(by_name, names=names)).reason is ProbeReason.REACHABLE
        assert names.asked == ["cluster.example"]
        connections = seen.connections
        mixed = await look(with_token(seen, host="mixed.example"), names=names)
        assert mixed.reason is ProbeReason.ADDRESS_REFUSED
        assert "metadata" in mixed.message
        assert seen.connections == connections


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "::1", "169.254.169.254", "::ffff:127.0.0.1", "fe80::1", "0.0.0.0"]
)
async def test_a_name_that_leads_to_a_refused_address(address: str) -> None:
    names = Names(cluster=["10.0.0.1", address])
    found = await look(from_token("https://cluster.example", CANARY), AddressRules(), names=names)
    assert found.reason is ProbeReason.ADDRESS_REFUSED


async def test_the_next_address_is_tried() -> None:
    async with serving(says(answer(201, review())), GOOD_CONTEXT) as seen:
        names = Names(cluster=["127.0.0.2", "127.0.0.1"])
        found = await look(with_token(seen, host="cluster.example"), names=names)
    assert found.reason is ProbeReason.REACHABLE


async def test_a_name_that_nobody_knows() -> None:
    found = await look(from_token("https://nobody.example", CANARY))
    assert (found.reason, found.message) == (
        ProbeReason.UNREACHABLE,
        "The cluster's name could not be resolved.",
    )


async def test_the_system_resolver() -> None:
    resolver = SystemResolver()
    addresses = {str(address) for address in await resolver.resolve("localhost")}
    assert "127.0.0.1" in addresses
    both = AddressRules((IPv4Network("127.0.0.0/8"), IPv6Network("::1/128")))
    async with serving(says(answer(201, review())), GOOD_CONTEXT) as seen:
        kubeconfig = with_token(seen, None, "localhost")
        assert (await look(kubeconfig, both, names=resolver)).reason is ProbeReason.REACHABLE
        refused = await look(kubeconfig, AddressRules(), names=resolver)
        assert refused.reason is ProbeReason.ADDRESS_REFUSED
    await resolver.close()


@pytest.fixture
async def silent_dns() -> AsyncIterator[SystemResolver]:
    """A resolver whose DNS server never answers."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        port = silent.getsockname()[1]
        dns = aiodns.DNSResolver(nameservers=[f"127.0.0.1:{port}"], timeout=200.0, tries=1)
        resolver = SystemResolver(dns)
        yield resolver
        await resolver.close()


async def test_a_silent_dns_server(silent_dns: SystemResolver) -> None:
    kubeconfig = from_token("https://cluster.example", CANARY)
    found = await look(kubeconfig, limits=BRIEF, names=silent_dns)
    assert (found.reason, found.message) == (
        ProbeReason.UNREACHABLE,
        "The cluster's name was not resolved in time.",
    )


# --- proxies ---


async def test_the_environments_proxy_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async with (
        serving(says_nothing) as proxy,
        serving(says(answer(201, review())), GOOD_CONTEXT) as seen,
    ):
        for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "HTTP_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        monkeypatch.delenv("NO_PROXY", raising=False)
        assert (await look(with_token(seen))).reason is ProbeReason.REACHABLE
        assert proxy.connections == 0


def through(proxy: CacheChange, server: str) -> Kubeconfig:
    return Kubeconfig(
        server, Token(CANARY), AUTHORITY.pem, proxy_url=f"http://127.0.0.1:{proxy.port}"
    )


async def test_the_kubeconfigs_proxy_is_used() -> None:
    asked: list[bytes] = []

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        there, here = await asyncio.open_connection("127.0.0.1", seen.port)
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await asyncio.gather(_copy(reader, here), _copy(there, writer))

    async with (
        serving(says(answer(201, review())), GOOD_CONTEXT) as seen,
        serving(relay) as proxy,
    ):
        found = await look(through(proxy, "https://cluster.example:6443"))
        assert found.reason is ProbeReason.REACHABLE
        assert asked[0].startswith(b"CONNECT cluster.example:6443 HTTP/1.1\r\n")
        assert CANARY.encode() not in asked[0]
        refused = await look(through(proxy, "https://169.254.169.254"))
        assert refused.reason is ProbeReason.ADDRESS_REFUSED
        forbidden = await look(through(proxy, "https://cluster.example"), AddressRules())
        assert forbidden.reason is ProbeReason.ADDRESS_REFUSED
        assert len(asked) == 1


@pytest.mark.parametrize(
    "script",
    [
        pytest.param(says(answer(407)), id="asks for credentials"),
        pytest.param(says(answer(302, b"", "Location: https://x/")), id="redirects"),
        pytest.param(says(b"nonsense\r\n\r\n"), id="speaks no HTTP"),
        pytest.param(says(b"HTTP/1.1 200 OK\r\n\r\nsurplus"), id="speaks first"),
        pytest.param(says(b"HTTP/1.1 200 OK\r\nX: " + b"a" * 99999), id="giant header"),
        pytest.param(says_nothing, id="says nothing"),
    ],
)
async def test_a_proxy_that_does_not_connect(script: Script) -> None:
    async with serving(script) as proxy:
        found = await look(through(proxy, "https://cluster.example"), limits=BRIEF)
    assert found.reason is ProbeReason.UNREACHABLE


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(64 * 1024):
        writer.write(data)
    writer.transport.abort()


# --- many at once ---


async def test_dead_clusters_delay_no_others(silent_dns: SystemResolver) -> None:
    """200 looks, 30 of them at clusters that never answer: the others end first."""
    drip = says(b"HTTP/1.1 201 C\r\nContent-Length: 9999\r\n\r\n", *[b"x"] * 9999, pause=0.5)
    async with (
        black_hole() as hole,
        serving(drip, GOOD_CONTEXT) as slow,
        serving(says_nothing) as silent,
        serving(says(answer(201, review())), GOOD_CONTEXT) as good,
    ):
        dead = [
            asyncio.create_task(probe(kubeconfig, LOCAL, PATIENT, silent_dns))
            for kubeconfig in (
                *[with_token(hole)] * 8,
                *[with_token(slow)] * 8,
                *[with_token(silent)] * 7,
                *[from_token("https://cluster.example", CANARY)] * 7,
            )
        ]
        await until(lambda: slow.connections + silent.connections == 15)
        living = await asyncio.gather(
            *(probe(with_token(good), LOCAL, PATIENT, silent_dns) for _ in range(170))
        )
        assert {found.reason for found in living} == {ProbeReason.REACHABLE}
        assert not any(task.done() for task in dead)
        for task in dead:
            task.cancel()
        await asyncio.gather(*dead, return_exceptions=True)


async def test_nothing_is_left_behind() -> None:
    async with (
        black_hole() as hole,
        serving(says_nothing, GOOD_CONTEXT) as silent,
        serving(says_nothing) as mute,
    ):
        files = open_files()
        others = asyncio.all_tasks()
        ended = [look(with_token(seen), limits=BRIEF) for seen in (hole, silent, mute) * 5]
        await asyncio.gather(*ended)
        cancelled = [
            asyncio.create_task(look(with_token(seen))) for seen in (hole, silent, mute) * 5
        ]
        await until(lambda: mute.connections >= 10)
        for task in cancelled:
            task.cancel()
        await asyncio.gather(*cancelled, return_exceptions=True)
        await until(lambda: open_files() <= files)
        await until(lambda: not asyncio.all_tasks() - others)
