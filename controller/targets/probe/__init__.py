"""Whether a target cluster's API can be reached with the target's credentials.

Nothing of what the cluster does may harm others: all time and memory is bounded, no thread is
held, the connection goes only to an address that was checked, and credentials are sent only
after the cluster's certificate was verified (where the kubeconfig asks for that).
"""

import asyncio
import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass

from controller.targets.probe_answer import NOT_KUBERNETES, QUESTIONS, Question, Reply, meaning
from controller.targets.probe_http import exchange
from controller.targets.probe_limits import ProbeLimits
from controller.targets.probe_network import Resolver, allowed_addresses, connect, tunnel
from controller.targets.probe_result import (
    ProbeFailed,
    ProbeReason,
    ProbeResult,
    address_refused,
)
from controller.targets.probe_tls import handshake_failure, tls_context
from krkn_grpc.resources.addresses import Address, AddressRules
from krkn_grpc.resources.kubeconfig import Kubeconfig, endpoint


async def probe(
    kubeconfig: Kubeconfig, rules: AddressRules, limits: ProbeLimits, resolver: Resolver
) -> ProbeResult:
    """Ask the cluster who we are there; always ends within `limits.total_seconds`."""
    try:
        async with asyncio.timeout(limits.total_seconds):
            return await _probe(kubeconfig, rules, limits, resolver)
    except ProbeFailed as failed:
        return failed.result
    except TimeoutError:
        return ProbeResult(ProbeReason.UNREACHABLE, "The cluster did not answer in time.")


async def _probe(
    kubeconfig: Kubeconfig, rules: AddressRules, limits: ProbeLimits, resolver: Resolver
) -> ProbeResult:
    first_hop = kubeconfig.endpoint
    if kubeconfig.proxy_url is not None:
        # The proxy resolves a name by its own lights; an address is still ours to check.
        if refusal := rules.check_literal(first_hop.host):
            raise address_refused(refusal)
        first_hop = endpoint(kubeconfig.proxy_url)
    way = _Way(
        kubeconfig=kubeconfig,
        addresses=await allowed_addresses(first_hop, rules, limits, resolver),
        port=first_hop.port,
        tls=tls_context(kubeconfig),
        limits=limits,
    )
    for question in QUESTIONS:
        result = meaning(question, await way.ask(question))
        if result is not None:
            return result
    return NOT_KUBERNETES


@dataclass(frozen=True, slots=True, kw_only=True)
class _Way:
    """How one cluster is reached: found out once, and the same for every question."""

    kubeconfig: Kubeconfig
    addresses: Sequence[Address]
    port: int
    tls: ssl.SSLContext
    limits: ProbeLimits

    async def ask(self, question: Question) -> Reply:
        """Connect, ask, and leave without a farewell: the remote may not answer that either."""
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
            # From here on the streams own the connection, also when this is cancelled.
            return await asyncio.open_connection(
                sock=connection, ssl=self.tls, server_hostname=name.removesuffix(".")
            )
        except OSError as error:
            raise handshake_failure(error) from None
