"""The metadata of replies and requests: the HTTP status, and the revision of a write.

`x-http-code` gives Envoy a REST status that the gRPC code does not say. `krkn-revision` is the
revision that a write reached; a read that sends it back waits until its replica has seen that
write. `krkn-repeated` marks a reply that has the result of an earlier attempt of the same call.
`krkn-log` says that a log is not the pod's, but the one that was kept.
`krkn-user` names the caller for Envoy's access log; Envoy removes it. `krkn-mesh-caller` is Envoy's
word of who a caller is in a service mesh, for the audit log.
"""

import contextlib
import hashlib
import re
import string
from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias
from urllib.parse import quote

import grpc

from krkn_grpc.kube.deadline import Deadline
from krkn_grpc.kube.informer import Informer
from krkn_grpc.resources.meta import Resource

HTTP_CODE = "x-http-code"
_USER = "krkn-user"
_LONGEST_USER = 256
# All that metadata may hold, but the sign that escapes the rest.
_PRINTABLE = string.punctuation.replace("%", "") + " "
_REVISION = "krkn-revision"
_REPEATED = "krkn-repeated"
_LOG = "krkn-log"
# Envoy marks a call that a gRPC library has sent before (gRFC A6: grpc-previous-rpc-attempts).
_IS_RETRY = "krkn-is-retry"
_MESH_CALLER = "krkn-mesh-caller"
_MESH_IDENTITY = re.compile(r"spiffe://[-A-Za-z0-9._/]{1,503}")
# Envoy marks REST calls with it; its value is the HTTP method.
_REST = "krkn-rest"
_LONGEST_WAIT_SECONDS = 2.0
_LONGEST_REVISION = 20
_MOST_REVISIONS = 16


Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


def name_caller(context: Context, user: str) -> None:
    """Name the caller for Envoy, escaped as in a URL and cut to 256 characters.

    It goes with the trailers, which every reply has, also a refusal. No two callers have the same:
    the limits of a caller count by it, and who reads the access log finds one by it.
    """
    # HTTP takes no space at the ends of a value, or refuses the value for it.
    escaped = re.sub("^ | $", "%20", quote(user, safe=_PRINTABLE))
    if len(escaped) > _LONGEST_USER:
        # Nothing is escaped as %s, so no other name ends so.
        end = f"...%sha256:{hashlib.sha256(user.encode()).hexdigest()[:32]}"
        escaped = re.sub("%.?$", "", escaped[: _LONGEST_USER - len(end)]) + end
    if escaped:
        context.set_trailing_metadata(((_USER, escaped),))


async def send_metadata(
    context: Context,
    *,
    http_code: int | None = None,
    written: Sequence[Resource] = (),
    is_repeated: bool = False,
) -> None:
    """Send the reply's HTTP status, the revisions of its writes, and whether it is a repetition."""
    pairs = [] if http_code is None else [(HTTP_CODE, str(http_code))]
    if is_repeated:
        pairs.append((_REPEATED, "true"))
    newest: dict[str, int] = {}
    for each in written:
        newest[each.KIND.plural] = max(newest.get(each.KIND.plural, 0), _revision_of(each))
    if newest:
        # One for each kind: a cache knows only of its own kind which revisions it has reached. In
        # one value: many clients keep only one of each name.
        told = ",".join(f"{plural}.{revision}" for plural, revision in newest.items())
        pairs.append((_REVISION, told))
    if pairs:
        # It only fails when the caller is gone; the call's writes stay.
        with contextlib.suppress(Exception):
            await context.send_initial_metadata(tuple(pairs))


async def send_headers(context: Context, log_source: str = "") -> None:
    """Send a stream's headers before its first message, so that its caller sees its acceptance.

    They name the caller too: a caller who leaves the stream gets no trailers. Nothing is sent
    twice.
    """
    named = tuple(pair for pair in context.trailing_metadata() or () if pair[0] == _USER)
    if log_source:
        tell_log(context, log_source)
        named = (*named, (_LOG, log_source))
    with contextlib.suppress(Exception):
        await context.send_initial_metadata(named)


def tell_log(context: Context, log_source: str) -> None:
    """Say in the trailers of a stream where its log comes from."""
    others = tuple(pair for pair in context.trailing_metadata() or () if pair[0] != _LOG)
    context.set_trailing_metadata((*others, (_LOG, log_source)))


def mesh_caller(metadata: Iterable[tuple[str, str | bytes]] | None) -> str:
    """Return the caller's SPIFFE id as the mesh knows it; empty without one."""
    for key, value in metadata or ():
        if key == _MESH_CALLER and isinstance(value, str) and _MESH_IDENTITY.fullmatch(value):
            return value
    return ""


def is_retry(context: Context) -> bool:
    """Whether the caller's gRPC library has sent this call before, without an answer."""
    return _value(context, _IS_RETRY) is not None


def is_rest(context: Context) -> bool:
    """Whether Envoy translates the reply to REST."""
    return _value(context, _REST) is not None


def is_head(context: Context) -> bool:
    """Whether the caller of a stream wants its headers only."""
    return _value(context, _REST) == "HEAD"


async def catch_up(context: Context, cache: Informer[Any]) -> None:
    """Wait, for 2 seconds at most, until the cache has seen the revision that the caller names."""
    plural = cache.client.kind.KIND.plural
    newest = 0
    for key, value in context.invocation_metadata() or ():
        if key != _REVISION or not isinstance(value, str):
            continue
        for each in value.split(",", _MOST_REVISIONS):
            kind, _, revision = each.strip().partition(".")
            if kind == plural and revision.isdecimal() and len(revision) <= _LONGEST_REVISION:
                newest = max(newest, int(revision))
    # Wait once, even if several revisions were sent.
    await cache.reached(newest, _LONGEST_WAIT_SECONDS)


def _value(context: Context, name: str) -> str | bytes | None:
    given = context.invocation_metadata() or ()
    return next((value for key, value in given if key == name), None)


def _revision_of(resource: Resource) -> int:
    return int(resource.metadata.resource_version or 0)


# The rest of the caller's time is for the reply that names unknown outcomes. Envoy gives the server
# a quarter more time than it waits for the reply of a REST call, so this is 0.94 of that wait.
_SHARE = 0.75


def deadline_of(context: Context, longest_seconds: float) -> Deadline:
    """Return the deadline for all writes of the call."""
    left = context.time_remaining()
    return Deadline.within(longest_seconds if left is None else min(longest_seconds, left * _SHARE))
