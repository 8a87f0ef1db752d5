"""Watches jobs across disconnects, as if the connection were never cut."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import grpc
from grpc import StatusCode

from krkn_grpc.cli.client import Client, Stream
from krkn_grpc.cli.failures import WatchEnded, code_of
from krkn_grpc.v1.scenario_runs_pb2 import (
    Job,
    WatchScenarioRunsRequest,
    WatchScenarioRunsResponse,
)

Kind = Literal["ADDED", "MODIFIED", "DELETED", "SYNCED"]

# After these codes a new stream may succeed; after others it will not.
_MAY_GO_ON = {
    StatusCode.UNAVAILABLE,
    StatusCode.DEADLINE_EXCEEDED,
    StatusCode.INTERNAL,
    StatusCode.UNKNOWN,
    StatusCode.CANCELLED,
    StatusCode.ABORTED,
    StatusCode.RESOURCE_EXHAUSTED,
    StatusCode.OUT_OF_RANGE,
}
_CODES = {code.value[0]: code for code in StatusCode}


@dataclass(frozen=True)
class Change:
    """One change of a job; `SYNCED` has no job."""

    kind: Kind
    job: Job | None = None


class WatchState:
    """The known state of the jobs; it merges the messages of several streams into one sequence."""

    def __init__(self) -> None:
        """Start without known jobs."""
        self.resume_token = ""
        self._known: dict[str, Job] = {}
        self._present: dict[str, Job] | None = None
        self._has_synced = False

    def stream_begins(self) -> None:
        """Expect a full list of the jobs, unless a resume token continues an earlier stream."""
        self._present = None if self.resume_token else {}

    def token_is_too_old(self) -> None:
        """Drop the token: the next stream's full list is compared with the known jobs."""
        self.resume_token = ""

    def take(self, message: WatchScenarioRunsResponse) -> list[Change]:
        """Return the changes that the message adds; raises WatchEnded for ERROR."""
        if message.type == "ERROR":
            code = _CODES.get(message.error.code, StatusCode.UNKNOWN)
            raise WatchEnded(code, message.error.message)
        if self._present is not None:
            if message.type != "SYNCED":
                self._present[message.job.job_id] = message.job
                return []
            present, self._present = self._present, None
            self.resume_token = message.resume_token
            return self._compared_with(present)
        self.resume_token = message.resume_token or self.resume_token
        if message.type == "DELETED":
            was_known = self._known.pop(message.job.job_id, None) is not None
            return [Change("DELETED", message.job)] if was_known else []
        return [] if message.type == "SYNCED" else self._seen(message.job)

    def _compared_with(self, present: dict[str, Job]) -> list[Change]:
        gone = [self._known.pop(job_id) for job_id in self._known.keys() - present.keys()]
        changes = [Change("DELETED", job) for job in gone]
        for job in present.values():
            changes += self._seen(job)
        if not self._has_synced:
            self._has_synced = True
            changes.append(Change("SYNCED"))
        return changes

    def _seen(self, job: Job) -> list[Change]:
        before = self._known.get(job.job_id)
        self._known[job.job_id] = job
        if before == job:
            return []
        return [Change("ADDED" if before is None else "MODIFIED", job)]


class JobWatch:
    """The changes of the jobs that pass a filter, without end.

    First each existing job as ADDED, then SYNCED, then each change. A stream that is cut is
    resumed; if that is not possible, a new one starts and only differences are yielded. Raises
    grpc.RpcError or WatchEnded when a retry is not allowed, or the retries are used up.
    """

    def __init__(self, client: Client, wanted: WatchScenarioRunsRequest) -> None:
        """Watch the jobs that pass the filters of `wanted`."""
        self._client = client
        self._wanted = wanted
        self._state = WatchState()
        self._stream: Stream[WatchScenarioRunsResponse] | None = None

    def __iter__(self) -> Iterator[Change]:
        """Yield the changes."""
        try:
            while True:
                yield from self._client.repeated(_may_go_on, self._next)
        finally:
            self._hang_up()

    def _next(self) -> list[Change]:
        if self._stream is None:
            self._state.stream_begins()
            request = WatchScenarioRunsRequest()
            request.CopyFrom(self._wanted)
            request.resume_token = self._state.resume_token
            self._stream = self._client.stream(self._client.runs.WatchScenarioRuns, request)
        try:
            message = next(self._stream, None)
            if message is None:
                raise WatchEnded(StatusCode.UNAVAILABLE, "the watch was cut")
            return self._state.take(message)
        except (grpc.RpcError, WatchEnded) as error:
            self._hang_up()
            if code_of(error) is StatusCode.OUT_OF_RANGE:
                self._state.token_is_too_old()
            raise

    def _hang_up(self) -> None:
        if self._stream is not None:
            self._stream.cancel()
            self._stream = None


def _may_go_on(error: Exception) -> bool:
    return code_of(error) in _MAY_GO_ON
