"""Probes whether a target cluster's API can be reached with the target's credentials.

A misbehaving cluster must not harm others: all time and memory is bounded, no thread is blocked,
the connection goes only to a checked address, and credentials are sent only after the cluster's
certificate was verified (unless the kubeconfig disables that).
"""

import asyncio
import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass

from controller.resolver import Resolver
from controller.targets.probe.dial import allowed_addresses, connect, tunnel
from controller.targets.probe.http import exchange
from controller.targets.probe.limits import ProbeLimits
from controller.targets.probe.result import (
    ProbeFailed,
    ProbeReason,
    ProbeResult,
    address_refused,
)
from controller.targets.probe.review import (
    NOT_KUBERNETES,
    QUESTIONS,
    VERSION,
    WHO_ARE_YOU,
    Question,
    Reply,
    cluster_uid,
    meaning,
    server_version,
)
from controller.targets.probe.tls import handshake_failure, tls_context
from krkn_grpc.resources.addresses import Address, AddressRules
from krkn_grpc.resources.kubeconfig import Kubeconfig, endpoint


async def probe(
    kubeconfig: Kubeconfig, rules: AddressRules, limits: ProbeLimits, resolver: Resolver
) -> ProbeResult:
    """Ask the cluster who the caller is there; always ends within `limits.total_seconds`."""
    try:
        async with asyncio.timeout(limits.total_seconds):
            return await _probe(kubeconfig, rules, limits, resolver)
    except ProbeFailed as failed:
        return failed.result
    except TimeoutError:
        return ProbeResult(ProbeReason.UNREACHABLE, "The cluster did not answer in time.")


async def identity(
    kubeconfig: Kubeconfig, rules: AddressRules, limits: ProbeLimits, resolver: Resolver
) -> str | None:
    """Ask the cluster for the uid of its kube-system; None when it does not say it in time."""
    try:
        async with asyncio.timeout(limits.total_seconds):
            way = await _way_to(kubeconfig, rules, limits, resolver)
            return cluster_uid(await way.ask(WHO_ARE_YOU))
    except (ProbeFailed, TimeoutError):
        return None


async def version(
    kubeconfig: Kubeconfig, rules: AddressRules, limits: ProbeLimits, resolver: Resolver
) -> str | None:
    """Ask the cluster for the version of its API server; None when it does not answer in time."""
    try:
        async with asyncio.timeout(limits.version_seconds):
            way = await _way_to(kubeconfig, rules, limits, resolver)
            return server_version(await way.ask(VERSION))
    except (ProbeFailed, TimeoutError):
        return None


async def _probe(
    kubeconfig: Kubeconfig, rules: AddressRules, limits: ProbeLimits, resolver: Resolver
) -> ProbeResult:
    way = await _way_to(kubeconfig, rules, limits, resolver)
    for question in QUESTIONS:
        result = meaning(question, await way.ask(question))
        if result is not None:
            return result
    return NOT_KUBERNETES


async def _way_to(
    kubeconfig: Kubeconfig, rules: AddressRules, limits: ProbeLimits, resolver: Resolver
) -> "_Way":
    first_hop = kubeconfig.endpoint
    if kubeconfig.proxy_url is not None:
        # The proxy resolves names itself; a literal address is still checked here.
        if refusal := rules.check_literal(first_hop.host):
            raise address_refused(refusal)
        first_hop = endpoint(kubeconfig.proxy_url)
    return _Way(
        kubeconfig=kubeconfig,
        addresses=await allowed_addresses(first_hop, rules, limits, resolver),
        port=first_hop.port,
        tls=tls_context(kubeconfig),
        limits=limits,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Way:
    """The connection parameters of one cluster: determined once, used for every question."""

    kubeconfig: Kubeconfig
    addresses: Sequence[Address]
    port: int
    tls: ssl.SSLContext
    limits: ProbeLimits

    async def ask(self, question: Question) -> Reply:
        """Connect, ask, and abort the connection: the remote might not answer a clean close."""
        target, credentials = self.kubeconfig.endpoint, self.kubeconfig.credentials
        reader, writer = await self._secured(await self._connected())
        try:
            return await exchange((reader, writer), question, target, credentials, self.limits)
        finally:
            writer.transport.abort()

    async def _connected(self) -> socket.socket:
        connection = await connect(self.addresses, self.port, self.limits)
        if self.kubeconfig.proxy_url is not None:
            try:
                await tunnel(connection, self.kubeconfig.endpoint, self.limits)
            except BaseException:
                connection.close()
                raise
        return connection

    async def _secured(
        self, connection: socket.socket
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        name = self.kubeconfig.tls_server_name or self.kubeconfig.endpoint.host
        try:
            # From here on the streams own the connection, even if this call is cancelled.
            return await asyncio.open_connection(
                sock=connection, ssl=self.tls, server_hostname=name.removesuffix(".")
            )
        except OSError as error:
            raise handshake_failure(error) from None
