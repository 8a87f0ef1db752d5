"""The metadata of replies and requests: the HTTP status, and the revision of a write.

`x-http-code` tells Envoy which status a success has in REST. `krkn-revision` names the revision
that a write reached; a read that sends it back waits until its replica has seen that write.
"""

import contextlib
from collections.abc import Sequence
from typing import Any, TypeAlias

import grpc

from krkn_grpc.kube.cache import WatchCache
from krkn_grpc.resources.meta import Resource

_HTTP_CODE = "x-http-code"
_REVISION = "krkn-revision"
_LONGEST_WAIT_SECONDS = 2.0
_LONGEST_REVISION = 20


Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


async def send_metadata(
    context: Context,
    *,
    http_code: int | None = None,
    written: Sequence[Resource] = (),
) -> None:
    """Send the reply's HTTP status and the revision that its writes reached."""
    pairs = [] if http_code is None else [(_HTTP_CODE, str(http_code))]
    if written:
        newest = max(written, key=_revision_of)
        pairs.append((_REVISION, f"{newest.KIND.plural}.{_revision_of(newest)}"))
    if pairs:
        # It only fails when the caller is gone; what was done for them is done all the same.
        with contextlib.suppress(Exception):
            await context.send_initial_metadata(tuple(pairs))


async def send_headers(context: Context) -> None:
    """Let a stream begin that has nothing to say yet: its caller learns that it was accepted."""
    with contextlib.suppress(Exception):
        await context.send_initial_metadata(())


async def catch_up(context: Context, cache: WatchCache[Any]) -> None:
    """Wait, for 2 seconds at most, until the cache has seen the revision that the caller names."""
    plural = cache.store.kind.KIND.plural
    newest = 0
    for key, value in context.invocation_metadata() or ():
        if key != _REVISION or not isinstance(value, str):
            continue
        kind, _, revision = value.partition(".")
        if kind == plural and revision.isdecimal() and len(revision) <= _LONGEST_REVISION:
            newest = max(newest, int(revision))
    # Once, however many were sent.
    await cache.reached(newest, _LONGEST_WAIT_SECONDS)


def _revision_of(resource: Resource) -> int:
    return int(resource.metadata.resource_version or 0)
