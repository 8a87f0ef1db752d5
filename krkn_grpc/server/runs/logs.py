"""Streams the log of a job's scenario, from wherever the job is in its life."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass

from krkn_grpc.kube import errors
from krkn_grpc.kube.cache import WatchCache
from krkn_grpc.kube.history import History, TooOld
from krkn_grpc.kube.logs import LogOptions, Logs
from krkn_grpc.kube.store import Store
from krkn_grpc.resources.chaos_job import ChaosJob
from krkn_grpc.resources.names import CONTAINER, pod_for
from krkn_grpc.resources.pod import Pod
from krkn_grpc.server.errors import NoSuch, Unreachable
from krkn_grpc.server.runs.listing import find, find_live

_GONE = "the log is gone with the job's pod"


@dataclass(frozen=True)
class LogStreamer:
    """Finds a job's pod and passes its log on, as fast as the caller reads it."""

    jobs: WatchCache[ChaosJob]
    history: History[ChaosJob]
    pods: Store[Pod]
    logs: Logs

    async def stream(self, job_id: str, options: LogOptions) -> AsyncGenerator[bytes, None]:
        """Yield the log in chunks; nothing for a job that has not started.

        With `follow`, waits for the start and ends with the scenario. Raises NoSuch when the job
        or its pod is gone.
        """
        job = await find(self.jobs, job_id)
        if options.follow:
            job = await self._started(job)
        if job.status.start_time is None:
            # Not started as far as the cache knows; if it has ended meanwhile, so much the less.
            return
        await self._check_pod(job)
        try:
            async with self.logs.open(pod_for(job_id), CONTAINER, options) as chunks:
                async for chunk in chunks:
                    yield chunk
        except (errors.NotFound, errors.Invalid):
            raise NoSuch(_GONE) from None

    async def _started(self, job: ChaosJob) -> ChaosJob:
        """Wait until the job's scenario has started or never will."""
        revision = self.jobs.revision
        job = await find(self.jobs, job.metadata.name)
        if job.status.start_time is not None or job.status.is_final:
            return job
        try:
            async for change in self.history.since(revision):
                if change is None or change.object.metadata.uid != job.metadata.uid:
                    continue
                if change.new is None:
                    raise NoSuch("the job was deleted")
                if change.new.status.start_time is not None or change.new.status.is_final:
                    return change.new
        except TooOld:
            return await find_live(self.jobs, job.metadata.name)
        raise Unreachable("the server is stopping: ask again")

    async def _check_pod(self, job: ChaosJob) -> None:
        """Make sure that the pod of this name is the one that ran the job."""
        try:
            pod = await self.pods.get(pod_for(job.metadata.name))
        except errors.NotFound:
            raise NoSuch(_GONE) from None
        if pod.metadata.uid != job.status.pod_uid:
            raise NoSuch(_GONE)
