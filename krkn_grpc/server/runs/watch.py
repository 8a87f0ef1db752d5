"""Streams jobs as they change, to any number of callers."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, field

from grpc import StatusCode

from krkn_grpc.kube.cache import Seen, WatchCache
from krkn_grpc.kube.errors import KubeError
from krkn_grpc.kube.history import History, TooOld, TooSlow
from krkn_grpc.resources.chaos_job import ChaosJob
from krkn_grpc.server import tokens
from krkn_grpc.server.auth.permission import Permission
from krkn_grpc.server.errors import TokenTooOld, Unreachable
from krkn_grpc.server.runs.listing import Filter
from krkn_grpc.server.runs.translate import job_message
from krkn_grpc.v1 import scenario_runs_pb2 as pb

_CANNOT_ASK = "the Kubernetes API cannot be asked whether you may still watch: resume"
_START_ANEW = "the resumeToken is too old: start anew without one"
_TOO_SLOW = "you read too slowly: resume with the last resumeToken, or start anew"

# More changes than watchers are apart from each other, unless some are slow.
MOST_MESSAGES = 1_000

Message = pb.WatchScenarioRunsResponse


@dataclass(frozen=True)
class Messages:
    """What watchers are told of the latest changes: those with the same filter share a message."""

    _made: dict[tuple[int, tuple[str, ...]], tuple[Seen[ChaosJob], Message | None]] = field(
        default_factory=dict
    )

    def of(self, change: Seen[ChaosJob], wanted: Filter) -> Message | None:
        """Return the message of a change; None when there is nothing in it for this filter."""
        key = (id(change), wanted.spelling)
        made = self._made.get(key)
        # The change is kept with it, so that no other one can have its id.
        if made is None:
            if len(self._made) >= MOST_MESSAGES:
                self._made.clear()
            made = self._made[key] = change, _message(change, wanted)
        return made[1]


Accept = Callable[[], Awaitable[None]]


@dataclass(frozen=True)
class Watch:
    """The jobs and their latest changes."""

    jobs: WatchCache[ChaosJob]
    history: History[ChaosJob]
    messages: Messages = field(default_factory=Messages)

    async def stream(
        self, wanted: Filter, resume_token: str, caller: Permission, accept: Accept
    ) -> AsyncGenerator[Message, None]:
        """Yield what there is, SYNCED, and every change; or the changes since the token.

        Calls `accept` when a token is good and there may be nothing to tell for long.
        Raises TokenTooOld for a token whose changes are no longer kept. A reader that is too
        slow, or may no longer watch, gets ERROR as its last message.
        """
        if resume_token:
            revision = tokens.read_revision(resume_token, wanted.spelling)
            await self._must_be_of_this_cluster(revision)
        else:
            present, revision = self.jobs.seen(wanted.smallest_group(self.jobs))
            for job in filter(wanted.passes, present):
                # Without a token: what would be resumed here is not whole yet.
                yield Message(type="ADDED", job=job_message(job))
            token = tokens.write_revision(revision, wanted.spelling)
            yield Message(type="SYNCED", resume_token=token)
        is_new = True
        try:
            changes = self.history.since(revision, pulse_seconds=caller.pulse_seconds)
            if resume_token and revision <= self.jobs.revision:
                await accept()
            async for change in changes:
                is_new = False
                if not await caller.holds():
                    yield _error(StatusCode.PERMISSION_DENIED, "you may no longer watch jobs")
                    return
                if change is not None and (message := self.messages.of(change, wanted)) is not None:
                    yield message
        except TooOld as error:
            if resume_token and is_new:
                raise TokenTooOld(_START_ANEW) from None
            is_slow = isinstance(error, TooSlow) or not resume_token
            yield (
                _error(StatusCode.RESOURCE_EXHAUSTED, _TOO_SLOW)
                if is_slow
                else _error(StatusCode.OUT_OF_RANGE, _START_ANEW)
            )
            return
        except KubeError:
            yield _error(StatusCode.UNAVAILABLE, _CANNOT_ASK)
            return
        raise Unreachable("the server is stopping: resume with the last resumeToken")

    async def _must_be_of_this_cluster(self, revision: int) -> None:
        """Raise TokenTooOld for a revision that the cluster has not reached: it was set up anew.

        One that only this process has not reached was given by another one.
        """
        if revision > self.jobs.revision:
            newest = await self.jobs.store.list(limit=1)
            if newest.revision < revision:
                raise TokenTooOld(_START_ANEW)


def _message(change: Seen[ChaosJob], wanted: Filter) -> Message | None:
    was = change.old is not None and wanted.passes(change.old)
    now = change.new if change.new is not None and wanted.passes(change.new) else None
    if now is not None:
        kind, job = ("MODIFIED" if was else "ADDED"), now
    elif was:
        # Gone, or no longer among those that were asked for: as it is now, if it is.
        kind, job = "DELETED", change.object
    else:
        return None
    shown = job_message(job)
    if kind == "MODIFIED" and change.old is not None and job_message(change.old) == shown:
        return None  # A finalizer or a condition, say: nothing of what watchers see.
    token = tokens.write_revision(change.revision, wanted.spelling) if change.is_whole else ""
    return Message(type=kind, job=shown, resume_token=token)


def _error(code: StatusCode, message: str) -> Message:
    number: int = code.value[0]
    error = pb.WatchError(code=number, message=message)
    return Message(type="ERROR", error=error)
