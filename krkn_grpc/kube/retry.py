"""Retries the creation of an object until it is known whether the object exists."""

import math

from krkn_grpc.kube import errors
from krkn_grpc.kube.client import R, ResourceClient, W
from krkn_grpc.kube.deadline import Deadline
from krkn_grpc.kube.session import DEFAULT_SECONDS, pause
from krkn_grpc.resources.meta import Resource

_ATTEMPTS_TO_CONNECT = 5
_QUOTA_PAUSE = 0.5


async def create_until_known(client: ResourceClient[R], new: W, deadline: Deadline) -> W | None:
    """Create an object, and retry the same create while its outcome is unknown.

    Returns None when the object exists after an unanswered attempt: its name is computed from
    identity, so that attempt created it. Raises AlreadyExists when it existed before,
    OutcomeUnknown when the deadline passed first, NotWritten when nothing was written. A refusal
    is raised as it is only when no earlier attempt may have taken effect.
    """
    attempt = 0
    unanswered: errors.OutcomeUnknown | None = None
    while True:
        try:
            return await client.create(
                new, seconds=min(max(deadline.remaining, 1), DEFAULT_SECONDS)
            )
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
            if unanswered is None and (
                deadline.remaining <= 0 or (_is_away(error) and attempt >= _ATTEMPTS_TO_CONNECT)
            ):
                raise
            await pause(error, attempt, at_most=min(deadline.remaining, _longest_pause(error)))
        except errors.KubeError as refusal:
            if unanswered is None:
                raise
            # A quota, for example, is checked before the name; an earlier try may have filled it.
            if await _exists(client, new):
                return None
            raise unanswered from refusal
        if unanswered is not None and deadline.remaining <= 0:
            raise unanswered
        attempt += 1


def _is_away(error: errors.NotWritten) -> bool:
    """Whether there is no API server at all, so that the caller should get the error soon.

    An API server that throttles, or that cannot write at this moment, is worth waiting for.
    """
    is_just_now = isinstance(error, errors.QuotaBusy | errors.WebhookAway)
    return error.retry_after is None and not is_just_now


def _longest_pause(error: errors.NotWritten) -> float:
    # A quota's count is free again in a moment, so frequent retries help.
    return _QUOTA_PAUSE if isinstance(error, errors.QuotaBusy) else math.inf


async def _exists(client: ResourceClient[R], new: Resource) -> bool:
    """Whether the object certainly exists; also False when that cannot be checked."""
    try:
        await client.get_metadata(new.metadata.name)
    except errors.KubeError:
        return False
    return True
