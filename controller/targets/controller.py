"""What is done about targets, put together: each in its turn, and a sweep over all."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

from controller.queue import Queue
from controller.settings import Settings
from controller.targets.decide import Limits
from controller.targets.memory import Memory
from controller.targets.probe_limits import ProbeLimits
from controller.targets.probe_network import SystemResolver
from controller.targets.reconcile import TargetReconciler
from controller.targets.sweep import Spare, Sweep
from krkn_grpc.admission.reservations import Reservations
from krkn_grpc.kube.cache import Seen, WatchCache
from krkn_grpc.kube.session import Session
from krkn_grpc.kube.store import Store
from krkn_grpc.resources.addresses import AddressRules
from krkn_grpc.resources.core import Lease, Secret
from krkn_grpc.resources.target import Target


@dataclass(frozen=True)
class TargetWork:
    """A queue of targets and a sweep, both to be run while this controller is the one that acts."""

    targets: WatchCache[Target]
    queue: Queue
    sweep: Sweep
    memory: Memory

    @classmethod
    def of(cls, settings: Settings, session: Session, targets: WatchCache[Target]) -> Self:
        """Put it together; give the changes of `targets` to `look`."""
        secrets = Store(session, Secret, settings.namespace)
        leases = Store(session, Lease, settings.namespace)
        reservations = Reservations(leases, targets.store)
        reconciler = TargetReconciler(
            targets=targets,
            secrets=secrets,
            reservations=reservations,
            rules=AddressRules(settings.allowed_target_networks, settings.allow_proxy_url),
            resolver=SystemResolver(),
            limits=Limits(
                check_seconds=settings.check_seconds,
                duplicate_retry_seconds=settings.duplicate_seconds,
                abandoned_seconds=settings.abandoned_seconds,
            ),
            probe_limits=ProbeLimits(),
            memory=Memory(),
        )
        sweep = Sweep(
            targets=targets,
            secrets=secrets,
            leases=leases,
            reservations=reservations,
            every_seconds=settings.target_sweep_seconds,
            old_secrets=Spare(settings.abandoned_seconds),
            old_leases=Spare(settings.abandoned_seconds),
        )
        return cls(targets, Queue("targets", reconciler.reconcile), sweep, reconciler.memory)

    async def run(self, workers: int) -> None:
        """Give every target its turn, and from then on those of which something changes."""
        await self.queue.run(workers, self._all)

    def look(self, seen: Seen[Target]) -> None:
        """Give a turn to the target that changed, and to those that waited for what it had."""
        self.sweep.look(seen)
        self.queue.add(seen.object.metadata.name)
        for waiting in self.memory.freed_by(seen):
            self.queue.add(waiting)

    def _all(self) -> Iterator[str]:
        return (target.metadata.name for target in self.targets.values())
