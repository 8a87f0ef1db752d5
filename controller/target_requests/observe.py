"""Reads all that a decision about one request needs."""

import asyncio
import base64
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from controller import credentials
from controller.reason import Reason
from controller.target_requests import section
from controller.target_requests.answer import own_answer
from controller.target_requests.heartbeats import Heartbeats
from controller.target_requests.model import Observed, OwnAnswer, Providers
from controller.target_requests.section import NotOurs, Present, SecretState, Unreadable
from krkn_grpc.kube.client import ResourceClient
from krkn_grpc.kube.errors import NotFound
from krkn_grpc.kube.informer import Informer
from krkn_grpc.resources import kubeconfig as kubeconfigs
from krkn_grpc.resources.addresses import AddressRules
from krkn_grpc.resources.core import Secret
from krkn_grpc.resources.names import PROVIDER
from krkn_grpc.resources.provider import Provider
from krkn_grpc.resources.target import Target
from krkn_grpc.resources.target_request import COMPLETED, TargetRequest, TargetRequestSummary
from krkn_grpc.resources.well_known import TARGET_PROVIDER

_AT_ONCE = 16


@dataclass(frozen=True)
class Observer:
    """Reads a request's Secret, the providers, and where they are needed our own clusters."""

    providers: Informer[Provider]
    heartbeats: Heartbeats
    targets: Informer[Target]
    requests: ResourceClient[TargetRequest]
    secrets: ResourceClient[Secret]
    rules: AddressRules
    clock: Callable[[], datetime]
    """The time as the API server has it."""

    # Of all requests together: jobs need the session's connections too.
    _places: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_AT_ONCE))

    async def observe(self, request: TargetRequestSummary) -> Observed:
        """Return the request with its surroundings; raises KubeError when they cannot be read."""
        now = self.clock().replace(microsecond=0)
        providers = self._providers(request)
        if request.status.status == "" or request.metadata.deletion_timestamp is not None:
            return Observed(request, now, providers)
        secret = await self._secret(request)
        answer = None
        if _needs_answer(request, providers, secret):
            answer = await self._answer(request)
        return Observed(request, now, providers, secret, answer)

    def _providers(self, request: TargetRequestSummary) -> Providers:
        completed = request.status.completed
        active = {
            each.spec.operator_name
            for each in self.providers.values()
            if each.spec.active and not _is_later(each, completed)
        }
        alive = {name for name in active if self.heartbeats.left(name) > 0}
        first_loss = self.heartbeats.first_loss(alive - {PROVIDER})
        return Providers(frozenset(active), frozenset(alive | (active & {PROVIDER})), first_loss)

    async def _secret(self, request: TargetRequestSummary) -> SecretState:
        try:
            stored = await self.secrets.get(request.metadata.name)
        except NotFound:
            stored = None
        return section.read(stored, request)

    async def _answer(self, request: TargetRequestSummary) -> OwnAnswer:
        targets = [target for target in self.targets.values() if _is_offered(target)]
        if PROVIDER in request.status.target_data:
            # Only the section was lost: it gets the clusters that our key has named.
            whole = await self.requests.get(request.metadata.name)
            named = {each.cluster_name for each in whole.status.target_data.get(PROVIDER, ())}
            targets = [target for target in targets if target.spec.cluster_name in named]
        return own_answer(targets, await asyncio.gather(*map(self._kubeconfig, targets)))

    async def _kubeconfig(self, target: Target) -> str | None:
        """Return base64 of the target's kubeconfig; None if it must not be used."""
        async with self._places:
            found = await credentials.find(self.secrets, target, self.rules)
        if isinstance(found, Reason):
            return None
        return base64.b64encode(kubeconfigs.render(found).encode()).decode()


def _needs_answer(request: TargetRequestSummary, providers: Providers, secret: SecretState) -> bool:
    if isinstance(secret, NotOurs | Unreadable):
        return False
    if PROVIDER in request.status.target_data:
        return not (isinstance(secret, Present) and secret.own is not None)
    return request.status.status != COMPLETED and PROVIDER in providers.active


def _is_offered(target: Target) -> bool:
    """Whether a run on the target would start now, and no other provider offers the cluster."""
    return (
        target.is_admitted
        and target.status.ready
        and target.unfit is None
        and TARGET_PROVIDER not in target.metadata.labels
    )


def _is_later(provider: Provider, moment: datetime | None) -> bool:
    created = provider.metadata.creation_timestamp
    return moment is not None and created is not None and created > moment
