"""Creating an object until it is known whether it exists."""

from krkn_grpc.kube import errors
from krkn_grpc.kube.deadline import Deadline
from krkn_grpc.kube.session import DEFAULT_SECONDS, pause
from krkn_grpc.kube.store import R, Store, W
from krkn_grpc.resources.meta import Resource

_ATTEMPTS_TO_CONNECT = 5


async def create(store: Store[R], new: W, deadline: Deadline) -> W | None:
    """Create an object, and repeat the same create while its outcome is not known.

    Returns None when it turned out to exist after an attempt of ours that was not answered: its
    name is computed from identity, so it is that attempt's. Raises AlreadyExists when it was
    there before, OutcomeUnknown when the deadline came first, NotWritten when nothing was sent.
    A refusal is raised as it is only when no attempt before it may have taken effect.
    """
    attempt = 0
    unanswered: errors.OutcomeUnknown | None = None
    while True:
        try:
            return await store.create(new, seconds=min(max(deadline.remaining, 1), DEFAULT_SECONDS))
        except errors.AlreadyExists:
            if unanswered is None:
                raise
            return None
        except errors.OutcomeUnknown as error:
            unanswered = error
            if deadline.remaining <= 0:
                raise
            await pause(error, attempt, at_most=deadline.remaining)
        except errors.NotWritten as error:
            # Throttled is worth waiting for; without any connection the caller should soon know.
            is_away = error.retry_after is None and attempt >= _ATTEMPTS_TO_CONNECT
            if unanswered is None and (is_away or deadline.remaining <= 0):
                raise
            await pause(error, attempt, at_most=deadline.remaining)
        except errors.KubeError as refusal:
            if unanswered is None:
                raise
            # A quota, for one, is asked before the name, and may be used up by what is repeated.
            if await _exists(store, new):
                return None
            raise unanswered from refusal
        if unanswered is not None and deadline.remaining <= 0:
            raise unanswered
        attempt += 1


async def _exists(store: Store[R], new: Resource) -> bool:
    """Whether the object is surely there; False too when it cannot be asked for."""
    try:
        await store.get_metadata(new.metadata.name)
    except errors.KubeError:
        return False
    return True
