"""Wires the target controller: informer, work queue, periodic sweep."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

from controller.events import EventRecorder
from controller.resolver import SystemResolver
from controller.settings import Settings
from controller.targets.counting import TargetCounts
from controller.targets.decide import Limits
from controller.targets.own_cluster import OwnCluster
from controller.targets.probe.limits import ProbeLimits
from controller.targets.reconcile import TargetReconciler
from controller.targets.retry_state import RetryState
from controller.targets.sweep import GracePeriod, Sweep
from controller.work_queue import WorkQueue
from krkn_grpc.kube.client import ResourceClient
from krkn_grpc.kube.informer import CacheChange, Informer
from krkn_grpc.kube.session import Session
from krkn_grpc.reservations.leases import Reservations
from krkn_grpc.resources.addresses import AddressRules
from krkn_grpc.resources.core import Lease, Secret
from krkn_grpc.resources.target import Target


@dataclass(frozen=True)
class TargetController:
    """A work queue of targets and a periodic sweep; both run only in the leader."""

    targets: Informer[Target]
    queue: WorkQueue
    sweep: Sweep
    memory: RetryState
    counts: TargetCounts

    @classmethod
    def of(
        cls,
        settings: Settings,
        session: Session,
        targets: Informer[Target],
        events: EventRecorder,
    ) -> Self:
        """Return the controller; the caller passes the changes of `targets` to `look`."""
        secrets = ResourceClient(session, Secret, settings.namespace)
        leases = ResourceClient(session, Lease, settings.namespace)
        reservations = Reservations(leases, targets.client)
        reconciler = TargetReconciler(
            targets=targets,
            secrets=secrets,
            reservations=reservations,
            rules=AddressRules(settings.allowed_target_networks, settings.allow_proxy_url),
            resolver=SystemResolver(),
            limits=Limits(
                probe_interval_seconds=settings.probe_interval_seconds,
                duplicate_retry_seconds=settings.duplicate_retry_seconds,
                abandoned_seconds=settings.abandoned_seconds,
                adopt_providers=settings.adopt_providers,
            ),
            probe_limits=ProbeLimits(),
            memory=RetryState(),
            counts=TargetCounts(),
            own_cluster=OwnCluster(session),
            events=events,
            clock=session.time.now,
        )
        sweep = Sweep(
            targets=targets,
            secrets=secrets,
            leases=leases,
            reservations=reservations,
            every_seconds=settings.target_sweep_seconds,
            old_secrets=GracePeriod(settings.abandoned_seconds),
            old_leases=GracePeriod(settings.abandoned_seconds),
        )
        queue = WorkQueue("targets", reconciler.reconcile)
        return cls(targets, queue, sweep, reconciler.memory, reconciler.counts)

    async def run(self, workers: int) -> None:
        """Reconcile every target once, then each target whenever it changes."""
        try:
            await self.queue.run(workers, self._all)
        finally:
            self.counts.stopped()

    def look(self, seen: CacheChange[Target]) -> None:
        """Queue the target that changed, and those that wait for a name or URL that it freed."""
        self.counts.changed(seen)
        self.sweep.look(seen)
        self.queue.add(seen.object.metadata.name)
        for waiting in self.memory.freed_by(seen):
            self.queue.add(waiting)

    def _all(self) -> Iterator[str]:
        return (target.metadata.name for target in self.targets.values())
