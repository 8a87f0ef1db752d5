"""Jobs as they change, as if the connection were never cut."""

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

# With any of these a new stream may go well; others say that it will not.
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
    """One thing that happened to a job; `SYNCED` has none."""

    kind: Kind
    job: Job | None = None


class Picture:
    """What has been told of the jobs; it makes one story of the messages of several streams."""

    def __init__(self) -> None:
        """Start with nothing told."""
        self.resume_token = ""
        self._known: dict[str, Job] = {}
        self._present: dict[str, Job] | None = None
        self._has_synced = False

    def stream_begins(self) -> None:
        """Expect what there is, as long as no token says from where on changes are told."""
        self._present = None if self.resume_token else {}

    def token_is_too_old(self) -> None:
        """Go on by comparing what there is with what was known."""
        self.resume_token = ""

    def take(self, message: WatchScenarioRunsResponse) -> list[Change]:
        """Return what the message adds to the story; raises WatchEnded for ERROR."""
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

    First each job that there is as ADDED, then SYNCED, then each change. A stream that is cut is
    resumed; one that cannot be resumed is begun anew, and only what differs is told. Raises
    grpc.RpcError or WatchEnded when the service may not be asked again, or stays away.
    """

    def __init__(self, client: Client, wanted: WatchScenarioRunsRequest) -> None:
        """Watch the jobs that pass the filters of `wanted`."""
        self._client = client
        self._wanted = wanted
        self._picture = Picture()
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
            self._picture.stream_begins()
            request = WatchScenarioRunsRequest()
            request.CopyFrom(self._wanted)
            request.resume_token = self._picture.resume_token
            self._stream = self._client.stream(self._client.runs.WatchScenarioRuns, request)
        try:
            message = next(self._stream, None)
            if message is None:
                raise WatchEnded(StatusCode.UNAVAILABLE, "the watch was cut")
            return self._picture.take(message)
        except (grpc.RpcError, WatchEnded) as error:
            self._hang_up()
            if code_of(error) is StatusCode.OUT_OF_RANGE:
                self._picture.token_is_too_old()
            raise

    def _hang_up(self) -> None:
        if self._stream is not None:
            self._stream.cancel()
            self._stream = None


def _may_go_on(error: Exception) -> bool:
    return code_of(error) in _MAY_GO_ON
