"""Wires the adoption controller: work queue and listeners."""

import asyncio
from dataclasses import dataclass
from typing import Self

from controller.adoption.act import Actor
from controller.adoption.observe import Observer
from controller.adoption.reconcile import Reconciler
from controller.adoption.refresh import Refresh
from controller.settings import Settings
from controller.work_queue import WorkQueue
from krkn_grpc.kube.client import ResourceClient
from krkn_grpc.kube.informer import CacheChange, Informer
from krkn_grpc.kube.session import Session
from krkn_grpc.resources.addresses import AddressRules
from krkn_grpc.resources.adopted import Adoption, is_adopted
from krkn_grpc.resources.core import Secret
from krkn_grpc.resources.target import Target
from krkn_grpc.resources.target_request import TargetRequest, TargetRequestSummary

_WORKERS = 4


@dataclass(frozen=True)
class AdoptionController:
    """A work queue of providers. Without providers to adopt it does nothing at all."""

    providers: tuple[str, ...]
    reconciler: Reconciler
    queue: WorkQueue
    refresh: Refresh

    @classmethod
    def of(
        cls,
        settings: Settings,
        session: Session,
        targets: Informer[Target],
        summaries: Informer[TargetRequestSummary],
    ) -> Self:
        """Return the controller with its listeners attached; the caller runs both informers."""
        namespace = settings.namespace
        secrets = ResourceClient(session, Secret, namespace)
        reconciler = Reconciler(
            Observer(
                summaries=summaries,
                requests=ResourceClient(session, TargetRequest, namespace),
                targets=targets,
                secrets=secrets,
                rules=AddressRules(settings.allowed_target_networks, settings.allow_proxy_url),
            ),
            Actor(targets, secrets, session.time.now),
        )
        refresh = Refresh(summaries, settings.adopted_seconds, session.time.now)
        queue = WorkQueue("adoption", reconciler.reconcile)
        work = cls(settings.adopt_providers, reconciler, queue, refresh)
        if work.providers:
            summaries.listen(work.look_at_request)
            targets.listen(work.look_at_target)
        return work

    async def run(self) -> None:
        """Reconcile every provider once, then each one whenever it has answered a request."""
        if self.providers:
            await self.queue.run(min(_WORKERS, len(self.providers)), lambda: self.providers)
        else:
            await asyncio.Event().wait()

    def look_at_request(self, seen: CacheChange[TargetRequestSummary]) -> None:
        """Queue the providers that have answered the request."""
        for provider in self.providers:
            if provider in seen.object.status.target_data:
                self.queue.add(provider)

    def look_at_target(self, seen: CacheChange[Target]) -> None:
        """Queue the provider of an adopted target that is gone: it may be adopted again."""
        gone = seen.old
        adoption = Adoption.of(gone.metadata) if gone is not None and is_adopted(gone) else None
        if seen.new is None and adoption is not None and adoption.provider in self.providers:
            self.reconciler.forget(adoption.provider)
            self.queue.add(adoption.provider)
