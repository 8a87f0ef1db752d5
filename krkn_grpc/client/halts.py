"""Halts: the big red button."""

from collections.abc import AsyncIterator

from krkn_grpc.client.connection import Connection
from krkn_grpc.client.models import Halt
from krkn_grpc.client.pages import all_pages
from krkn_grpc.client.reading import read
from krkn_grpc.client.selectors import not_blank
from krkn_grpc.v1 import halts_pb2 as pb


class Halts:
    """`krkn.halts`: stops every scenario, and lets none start, until the halt is lifted."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def create(self, reason: str, *, target_selector: str | None = None) -> Halt:
        """Halt all targets, or those with these labels; the same halt again is the same one.

        Raises ValueError for a blank selector, which would halt all.
        """
        selector = not_blank(target_selector)
        request = pb.CreateHaltRequest(reason=reason, target_selector=selector)
        return await self._connection.ask(self._connection.halts.CreateHalt, request, Halt)

    def list(self) -> AsyncIterator[Halt]:
        """Yield the halts, newest first."""
        listing = self._connection.halts.ListHalts
        return all_pages(
            self._connection,
            listing,
            pb.ListHaltsRequest(),
            lambda page: (read(each, Halt) for each in page.halts),
        )

    async def lift(self, name: str) -> None:
        """Delete a halt; raises NotFound. What it has stopped does not go on."""
        request = pb.DeleteHaltRequest(name=name)
        # Sent twice, it could lift a halt that somebody made in between under the same name.
        await self._connection.call(self._connection.halts.DeleteHalt, request, is_repeatable=False)
