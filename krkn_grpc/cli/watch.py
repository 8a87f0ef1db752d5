"""Watches jobs across disconnects, as if the connection were never cut."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from krkn_grpc.cli.client import Client
from krkn_grpc.client import jobs, loop_thread, watching
from krkn_grpc.v1.scenario_runs_pb2 import Job, WatchScenarioRunsRequest

Kind = Literal["ADDED", "MODIFIED", "DELETED", "SYNCED"]


@dataclass(frozen=True)
class Change:
    """One change of a job; `SYNCED` has no job."""

    kind: Kind
    job: Job | None = None


class JobWatch:
    """The changes of the jobs that pass a filter, without end; as `krkn.jobs.watch` has them.

    First each existing job as ADDED, then SYNCED, then each change. Raises KrknError.
    """

    def __init__(self, client: Client, wanted: WatchScenarioRunsRequest) -> None:
        """Watch the jobs that pass the filters of `wanted`."""
        self._client = client
        self._wanted = wanted

    def __iter__(self) -> Iterator[Change]:
        """Yield the changes."""
        connection = self._client.connection
        watched = jobs.watched(connection, self._wanted)
        told = watching.watch(watched, connection.way.patience)
        for change in loop_thread.shared().iterate(told):
            if isinstance(change, watching.Change):
                yield Change(change.type.value, change.object)
            else:
                yield Change("SYNCED")
