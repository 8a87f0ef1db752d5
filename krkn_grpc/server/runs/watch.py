"""Streams jobs as they change, to any number of callers."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, field

from grpc import StatusCode

from krkn_grpc.kube.change_log import ChangeLog, TooOld, TooSlow
from krkn_grpc.kube.errors import KubeError
from krkn_grpc.kube.informer import CacheChange, Informer
from krkn_grpc.resources.chaos_job import ChaosJob
from krkn_grpc.server import tokens
from krkn_grpc.server.auth.authorization import Permission
from krkn_grpc.server.errors import TokenTooOld, Unreachable
from krkn_grpc.server.runs.filters import Filter
from krkn_grpc.server.runs.translate import job_message
from krkn_grpc.v1 import scenario_runs_pb2 as pb

_CANNOT_ASK = "the Kubernetes API cannot be asked whether you may still watch: resume"
_START_ANEW = "the resumeToken is too old: start anew without one"
_TOO_SLOW = "you read too slowly: resume with the last resumeToken, or start anew"

# More than the changes between the fastest and the slowest watcher, unless some are slow.
MOST_MESSAGES = 1_000
_CATCH_UP_SECONDS = 2.0

Message = pb.WatchScenarioRunsResponse


@dataclass(frozen=True)
class Messages:
    """The messages of the latest changes; watchers with the same filter share a message."""

    _made: dict[tuple[int, tuple[str, ...]], tuple[CacheChange[ChaosJob], Message | None]] = field(
        default_factory=dict
    )

    def of(self, change: CacheChange[ChaosJob], wanted: Filter) -> Message | None:
        """Return the message of a change; None when the change is not visible to this filter."""
        key = (id(change), wanted.spelling)
        made = self._made.get(key)
        # The change is kept with its message, so that no other change can get its `id`.
        if made is None:
            if len(self._made) >= MOST_MESSAGES:
                self._made.clear()
            made = self._made[key] = change, _message(change, wanted)
        return made[1]


Accept = Callable[[], Awaitable[None]]


@dataclass(frozen=True)
class Watch:
    """The jobs and their latest changes."""

    jobs: Informer[ChaosJob]
    history: ChangeLog[ChaosJob]
    messages: Messages = field(default_factory=Messages)

    async def stream(
        self,
        wanted: Filter,
        resume_token: str,
        caller: Permission,
        accept: Accept,
        *,
        only_accept: bool = False,
    ) -> AsyncGenerator[Message, None]:
        """Yield the present jobs, SYNCED, and every change; or the changes since the token.

        Calls `accept` when a token is valid, because the first change may take long. With
        `only_accept` it ends there.
        Raises TokenTooOld for a token whose changes are no longer kept. A reader that is too
        slow, or may no longer watch, gets ERROR as its last message.
        """
        if resume_token:
            revision = tokens.read_revision(resume_token, wanted.spelling)
            await self._must_be_of_this_cluster(revision)
        else:
            present, revision = wanted.present(self.jobs)
            for job in present:
                # Without a token: the list is not complete yet, so a watch cannot resume here.
                yield Message(type="ADDED", job=job_message(job))
            token = tokens.write_revision(revision, wanted.spelling)
            yield Message(type="SYNCED", resume_token=token)
        is_new = True
        try:
            changes = self.history.since(revision, heartbeat_seconds=caller.heartbeat_seconds)
            if resume_token and (only_accept or revision <= self.jobs.revision):
                await accept()
                if only_accept:
                    return
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
        """Raise TokenTooOld for a revision that the cluster has not reached: it was set up again.

        A revision that only this process has not reached is from another replica.
        """
        if revision > self.jobs.revision:
            newest = await self.jobs.client.list(limit=1)
            if newest.revision < revision:
                raise TokenTooOld(_START_ANEW)
            await self.jobs.reached(revision, _CATCH_UP_SECONDS)


def _message(change: CacheChange[ChaosJob], wanted: Filter) -> Message | None:
    was = change.old is not None and wanted.passes(change.old)
    now = change.new if change.new is not None and wanted.passes(change.new) else None
    if now is not None:
        kind, job = ("MODIFIED" if was else "ADDED"), now
    elif was:
        # Deleted, or no longer matching the filter: in its current state if it still exists.
        kind, job = "DELETED", change.object
    else:
        return None
    shown = job_message(job)
    if kind == "MODIFIED" and change.old is not None and job_message(change.old) == shown:
        return None  # For example a finalizer or a condition, which watchers do not see.
    token = tokens.write_revision(change.revision, wanted.spelling) if change.is_whole else ""
    return Message(type=kind, job=shown, resume_token=token)


def _error(code: StatusCode, message: str) -> Message:
    number: int = code.value[0]
    error = pb.WatchError(code=number, message=message)
    return Message(type="ERROR", error=error)
