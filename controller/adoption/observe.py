"""Reads the newest completed answer of a provider, and the targets that it is about."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, replace

from controller import credentials
from controller.adoption import section
from controller.adoption.model import Found, Observed
from krkn_grpc.kube.client import R, ResourceClient
from krkn_grpc.kube.errors import NotFound
from krkn_grpc.kube.informer import Informer
from krkn_grpc.resources.addresses import AddressRules
from krkn_grpc.resources.adopted import Adoption, Source, adopted_uuid, by_url, is_adopted
from krkn_grpc.resources.core import Secret
from krkn_grpc.resources.kubeconfig import Kubeconfig, normalise_url
from krkn_grpc.resources.meta import ObjectMeta
from krkn_grpc.resources.target import Target
from krkn_grpc.resources.target_request import COMPLETED, TargetRequest, TargetRequestSummary


@dataclass(frozen=True)
class Observer:
    """Reads requests and targets from the caches, and the one request that counts live."""

    summaries: Informer[TargetRequestSummary]
    requests: ResourceClient[TargetRequest]
    targets: Informer[Target]
    secrets: ResourceClient[Secret]
    rules: AddressRules

    def newest(self, provider: str) -> TargetRequestSummary | None:
        """Return the newest completed request that the provider has answered."""
        answered = (
            each
            for each in self.summaries.values()
            if each.status.status == COMPLETED and provider in each.status.target_data
        )
        return max(answered, key=lambda each: source_of(each.metadata), default=None)

    async def observe(self, provider: str, summary: TargetRequestSummary) -> Observed | None:
        """Return the request's answer; None when the request is gone by now.

        Raises section.Untrusted when its Secret is not to be used.
        """
        name, uid = summary.metadata.name, summary.metadata.uid
        request = await _live(self.requests, name)
        if request is None or request.metadata.uid != uid:
            return None
        names = [each.cluster_name for each in request.status.target_data.get(provider, ())]
        secret = await _live(self.secrets, name)
        # A section may have a hundred kubeconfigs, each of them milliseconds to parse.
        found = await asyncio.to_thread(section.read, secret, uid, provider, names, self.rules)
        targets = {each.metadata.name: each for each in self._targets_of(provider, names)}
        return Observed(
            provider,
            source_of(request.metadata),
            await self._compared(provider, found, targets),
            targets,
        )

    def _targets_of(self, provider: str, names: list[str]) -> Iterator[Target]:
        for target in self.targets.values():
            adoption = Adoption.of(target.metadata) if is_adopted(target) else None
            if adoption is not None and adoption.provider == provider:
                yield target
        for name in names:
            if (known := self.targets.get(adopted_uuid(provider, name))) is not None:
                yield known

    async def _compared(
        self, provider: str, found: dict[str, Found], targets: dict[str, Target]
    ) -> dict[str, Found]:
        """Note which of the clusters that are not adopted yet are registered here already."""
        registered = by_url(each for each in self.targets.values() if not is_adopted(each))
        for name, each in found.items():
            if each.kubeconfig is None or adopted_uuid(provider, name) in targets:
                continue
            other = registered.get(normalise_url(each.kubeconfig.server))
            if other is not None and await self._is_same(other, each.kubeconfig):
                found[name] = replace(each, same_as=other.metadata.name)
        return found

    async def _is_same(self, target: Target, kubeconfig: Kubeconfig) -> bool:
        """Whether the target of the same URL trusts the same authority: else it may be another."""
        known = await credentials.find(self.secrets, target, self.rules)
        return isinstance(known, Kubeconfig) and _trust(known) == _trust(kubeconfig)


def source_of(metadata: ObjectMeta) -> Source:
    """Return the request as a source of credentials."""
    assert metadata.creation_timestamp is not None, "the API server stamps every object"
    return Source(requested=metadata.creation_timestamp, request_uid=metadata.uid)


def _trust(kubeconfig: Kubeconfig) -> tuple[str | None, bool]:
    return kubeconfig.certificate_authority, kubeconfig.insecure_skip_tls_verify


async def _live(client: ResourceClient[R], name: str) -> R | None:
    try:
        return await client.get(name)
    except NotFound:
        return None
