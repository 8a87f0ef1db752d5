"""The halts: made and deleted on the API server, read from the cache."""

import hashlib
import json
import secrets
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime

from krkn_grpc.kube import errors
from krkn_grpc.kube.deadline import Deadline
from krkn_grpc.kube.index import ALL, Position, position_of
from krkn_grpc.kube.informer import Informer
from krkn_grpc.kube.retry import create_until_known
from krkn_grpc.resources.halt import Halt, HaltSpec
from krkn_grpc.resources.label_grammar import is_subdomain
from krkn_grpc.resources.meta import ObjectMeta
from krkn_grpc.resources.target import Target
from krkn_grpc.server.deletions import Deletions
from krkn_grpc.server.errors import Changed, NoSuch
from krkn_grpc.server.times import rfc3339

NO_SUCH_HALT = "there is no such halt"
_ATTEMPTS = 3


class Halts:
    """The halts of the namespace."""

    def __init__(self, cache: Informer[Halt]) -> None:
        """Write by the client of `cache`, which has all of them in one group of its index."""
        self.cache = cache
        self._deletions = Deletions(cache)

    def newest(self, before: Position | None) -> Iterable[Halt]:
        """Return the halts that hold, newest first, from `before` on."""
        return (halt for halt in self.cache.newest(ALL, before) if halt.holds)

    def over(self, target: Target) -> Halt | None:
        """Return the oldest halt that selects the target, None when it is not halted."""
        labels = target.metadata.labels
        found = (halt for halt in self.cache.values() if halt.holds and halt.selects(labels))
        return min(found, key=position_of, default=None)

    async def create(self, by: str, reason: str, selector: str, deadline: Deadline) -> Halt:
        """Make a halt, or return the one that this caller has made with the same words.

        So a call whose answer was lost can be repeated: the name follows from caller, reason and
        selector. A halt of that name that is different now, or is being deleted, is left alone.
        """
        since = rfc3339(datetime.now(UTC).replace(microsecond=0)) or ""
        spec = HaltSpec(reason=reason, by=by, since=since, target_selector=selector)
        name = _name(json.dumps([by, reason, selector]))
        for _ in range(_ATTEMPTS):
            metadata = ObjectMeta(name=name, namespace=self.cache.client.namespace)
            halt: Halt | None = None
            with suppress(errors.AlreadyExists):
                new = Halt(metadata=metadata, spec=spec)
                halt = await create_until_known(self.cache.client, new, deadline)
            if halt is None:
                halt = await self._same(name, spec)
            if halt is not None:
                self.cache.remember(halt)
                return halt
            name = _name(secrets.token_hex())
        raise Changed("the halts were changed by others all the while")

    async def delete(self, name: str) -> Halt:
        """Delete the halt and return it, at the revision of its deletion.

        Raises NoSuch, and Conflict when another halt of this name was made meanwhile.
        """
        if not is_subdomain(name):
            raise NoSuch(NO_SUCH_HALT)
        try:
            halt = Halt(metadata=await self.cache.client.get_metadata(name))
        except errors.NotFound:
            raise NoSuch(NO_SUCH_HALT) from None
        with self._deletions.expected(halt) as deletion:
            # It is gone by now: by another caller, or by an earlier attempt of this call.
            with suppress(errors.NotFound):
                await self.cache.client.delete(name, uid=halt.metadata.uid)
            self.cache.forget(halt)
            return await deletion.seen()

    async def _same(self, name: str, wanted: HaltSpec) -> Halt | None:
        """Return the halt of this name if it is the wanted one, whenever it was made."""
        try:
            found = await self.cache.client.get(name)
        except errors.NotFound:
            return None
        spec = found.spec
        words = (spec.by, spec.reason, spec.target_selector)
        is_it = words == (wanted.by, wanted.reason, wanted.target_selector)
        return found if is_it and found.holds else None


def _name(text: str) -> str:
    return f"halt-{hashlib.sha256(text.encode()).hexdigest()[:10]}"
