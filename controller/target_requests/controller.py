"""Wires the controller of target requests: informers, work queue, wake-ups."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self

from controller.settings import Settings
from controller.target_requests.act import Actor
from controller.target_requests.heartbeats import Heartbeats
from controller.target_requests.model import Limits
from controller.target_requests.observe import Observer
from controller.target_requests.reconcile import TargetRequestReconciler
from controller.work_queue import WorkQueue
from krkn_grpc.kube.client import ResourceClient
from krkn_grpc.kube.informer import CacheChange, Informer
from krkn_grpc.kube.session import Session
from krkn_grpc.resources.addresses import AddressRules
from krkn_grpc.resources.core import Secret
from krkn_grpc.resources.provider import Provider
from krkn_grpc.resources.target import Target
from krkn_grpc.resources.target_request import COMPLETED, TargetRequest, TargetRequestSummary

_WORKERS = 8
_OPEN = "open"


def _open(request: TargetRequestSummary) -> tuple[str, ...]:
    """Return the index's groups of a request: those that are not completed are in one."""
    return () if request.status.status == COMPLETED else (_OPEN,)


@dataclass(frozen=True)
class TargetRequestController:
    """A work queue of requests; it runs only in the leader."""

    requests: Informer[TargetRequestSummary]
    providers: Informer[Provider]
    heartbeats: Heartbeats
    queue: WorkQueue

    @classmethod
    def of(cls, settings: Settings, session: Session, targets: Informer[Target]) -> Self:
        """Return the controller; the caller runs its `caches`."""
        namespace = settings.namespace
        requests = Informer(
            ResourceClient(session, TargetRequestSummary, namespace), index_func=_open
        )
        providers = Informer(ResourceClient(session, Provider, namespace))
        secrets = ResourceClient(session, Secret, namespace)
        heartbeats = Heartbeats(settings.provider_lost_seconds, session.time.now)
        reconciler = TargetRequestReconciler(
            requests=requests,
            observer=Observer(
                providers=providers,
                heartbeats=heartbeats,
                targets=targets,
                requests=ResourceClient(session, TargetRequest, namespace),
                secrets=secrets,
                rules=AddressRules(settings.allowed_target_networks, settings.allow_proxy_url),
                clock=session.time.now,
            ),
            actor=Actor(requests.client, secrets, session.time.now),
            limits=Limits(settings.discovery_deadline_seconds, settings.discovery_ttl_seconds),
        )
        queue = WorkQueue("target requests", reconciler.reconcile)
        made = cls(requests, providers, heartbeats, queue)
        requests.listen(lambda seen: queue.add(seen.object.metadata.name))
        providers.listen(made.look)
        targets.listen(lambda _: made.wake())
        return made

    @property
    def caches(self) -> tuple[Informer[Any], ...]:
        """The informers, for the caller to run; a standby runs them too."""
        return self.requests, self.providers

    async def run(self) -> None:
        """Reconcile every request once, then each request whenever something of it changes."""
        await self.queue.run(_WORKERS, self._all)

    def look(self, seen: CacheChange[Provider]) -> None:
        """Note a provider's heartbeat, and queue the requests that may wait for the provider."""
        self.heartbeats.look(seen.object.spec.operator_name, seen.new)
        self.wake()

    def wake(self) -> None:
        """Queue the requests that are not completed."""
        for request in self.requests.newest(_OPEN):
            self.queue.add(request.metadata.name)

    def _all(self) -> Iterator[str]:
        return (request.metadata.name for request in self.requests.values())
