"""The informers' caches that calls read."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal, Self

from krkn_grpc.kube.client import ResourceClient
from krkn_grpc.kube.index import everything
from krkn_grpc.kube.informer import Informer
from krkn_grpc.kube.session import Session
from krkn_grpc.resources.chaos_job import ChaosJob
from krkn_grpc.resources.chaos_run import ChaosRun
from krkn_grpc.resources.halt import Halt
from krkn_grpc.resources.target import Target
from krkn_grpc.resources.target_request import TargetRequestSummary
from krkn_grpc.server.chaos_runs import filters as run_filters
from krkn_grpc.server.runs.filters import index_func
from krkn_grpc.server.target_requests.discoveries import by_caller


@dataclass(frozen=True)
class Caches:
    """The caches of one namespace; those that are not `used` stay empty."""

    jobs: Informer[ChaosJob]
    runs: Informer[ChaosRun]
    targets: Informer[Target]
    requests: Informer[TargetRequestSummary]
    halts: Informer[Halt]
    used: tuple[Informer[Any], ...]

    @classmethod
    def of(cls, session: Session, namespace: str, served: Literal["all", "calls", "logs"]) -> Self:
        """Return the caches for what this process serves, not yet running."""
        jobs = Informer(ResourceClient(session, ChaosJob, namespace), index_func=index_func)
        runs = Informer(
            ResourceClient(session, ChaosRun, namespace), index_func=run_filters.index_func
        )
        targets = Informer(ResourceClient(session, Target, namespace), index_func=everything)
        requests = Informer(
            ResourceClient(session, TargetRequestSummary, namespace), index_func=by_caller
        )
        halts = Informer(ResourceClient(session, Halt, namespace), index_func=everything)
        used = (jobs,) if served == "logs" else (jobs, runs, targets, requests, halts)
        return cls(jobs, runs, targets, requests, halts, used)

    def run_in(self, group: asyncio.TaskGroup) -> Iterable[asyncio.Task[None]]:
        """Keep the caches current, each in a task of the group."""
        return [group.create_task(cache.run()) for cache in self.used]

    async def synced(self) -> None:
        """Return when the first lists are complete."""
        await asyncio.gather(*(cache.synced() for cache in self.used))
