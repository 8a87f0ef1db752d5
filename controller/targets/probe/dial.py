"""From a URL to a connected socket: resolve once, check every address, connect to one of them."""

import asyncio
import contextlib
import socket
from collections.abc import Sequence
from ipaddress import IPv4Address

import h11

from controller.resolver import ResolveError, Resolver
from controller.targets.probe.limits import ProbeLimits
from controller.targets.probe.result import address_refused, unreachable
from krkn_grpc.resources.addresses import Address, AddressRules
from krkn_grpc.resources.kubeconfig import Endpoint


async def allowed_addresses(
    endpoint: Endpoint, rules: AddressRules, limits: ProbeLimits, resolver: Resolver
) -> Sequence[Address]:
    """Return the addresses of a host; raises ProbeFailed unless every one of them is allowed."""
    if refusal := rules.check_literal(endpoint.host):
        raise address_refused(refusal)
    if endpoint.address is not None:
        return [endpoint.address]
    try:
        async with asyncio.timeout(limits.resolve_seconds):
            addresses = await resolver.resolve(endpoint.host)
    except TimeoutError:
        raise unreachable("The cluster's name was not resolved in time.") from None
    except ResolveError:
        addresses = []
    if not addresses:
        raise unreachable("The cluster's name could not be resolved.")
    # One refused address refuses the name: its DNS server may answer differently next time.
    for address in addresses:
        if refusal := rules.refusal(address):
            raise address_refused(f"The cluster's name leads to a refused address. {refusal}")
    return addresses


async def connect(addresses: Sequence[Address], port: int, limits: ProbeLimits) -> socket.socket:
    """Connect to the first of these addresses that answers; names are not resolved again."""
    failure = unreachable("The cluster has no address.")
    for address in addresses[: limits.addresses]:
        try:
            return await _connect(address, port, limits.connect_seconds)
        except TimeoutError:
            failure = unreachable("The cluster's address did not answer in time.")
        except ConnectionRefusedError:
            failure = unreachable("The cluster's address refused the connection.")
        except OSError:
            failure = unreachable("The cluster's address could not be reached.")
    raise failure


async def _connect(address: Address, port: int, seconds: float) -> socket.socket:
    family = socket.AF_INET if isinstance(address, IPv4Address) else socket.AF_INET6
    with contextlib.ExitStack() as stack:
        connection = stack.enter_context(socket.socket(family, socket.SOCK_STREAM))
        connection.setblocking(False)
        async with asyncio.timeout(seconds):
            await asyncio.get_running_loop().sock_connect(connection, (str(address), port))
        stack.pop_all()
    return connection


async def tunnel(connection: socket.socket, target: Endpoint, limits: ProbeLimits) -> None:
    """Ask the HTTP proxy at the other end to connect to the target."""
    http = h11.Connection(h11.CLIENT, max_incomplete_event_size=limits.head_bytes)
    request = h11.Request(
        method="CONNECT", target=target.authority, headers=[("Host", target.authority)]
    )
    loop = asyncio.get_running_loop()
    try:
        await loop.sock_sendall(connection, http.send(request) or b"")
        http.send(h11.EndOfMessage())
        while (event := http.next_event()) is h11.NEED_DATA:
            http.receive_data(await loop.sock_recv(connection, 4096))
        accepted = isinstance(event, h11.Response) and 200 <= event.status_code < 300
    except (OSError, h11.RemoteProtocolError):
        accepted = False
    if not accepted:
        raise unreachable("The proxy did not connect to the cluster.")
