"""Wires what keeps logs: the informer of their metadata, and the keeper."""

from dataclasses import dataclass
from typing import Self

from controller.job_logs.keeper import LogKeeper
from controller.job_logs.room import Room
from controller.settings import Settings
from krkn_grpc.kube import index
from krkn_grpc.kube.client import ResourceClient
from krkn_grpc.kube.informer import Informer
from krkn_grpc.kube.session import Session
from krkn_grpc.resources.chaos_job import ChaosJob
from krkn_grpc.resources.kept_log import KeptLog, KeptLogHead


@dataclass(frozen=True)
class JobLogController:
    """Keeps the logs of jobs, and deletes those that are too many."""

    kept: Informer[KeptLogHead]
    keeper: LogKeeper
    sweep_seconds: float
    unowned_seconds: float

    @classmethod
    def of(cls, settings: Settings, session: Session, jobs: Informer[ChaosJob]) -> Self:
        """Return the controller; its informer is for the caller to run."""
        namespace, total = settings.namespace, settings.keep_log_total_bytes
        kept = Informer(
            ResourceClient(session, KeptLogHead, namespace, metadata_only=True),
            index_func=index.everything,
        )
        keeper = LogKeeper(
            ResourceClient(session, KeptLog, namespace),
            Room(kept, total),
            jobs.get,
            settings.keep_log_bytes if total else 0,
            session.time.now,
        )
        return cls(kept, keeper, settings.sweep_seconds, settings.unclaimed_seconds)

    async def sweep(self) -> None:
        """Delete what is too much, at intervals, until cancelled."""
        await self.keeper.sweep(self.sweep_seconds, self.unowned_seconds)
