"""An election that is none."""

import json

from aiohttp import web

from tests.faults.proxy import Call, Exchange, Fault, refusal
from tests.support.custom_objects import Manifest


class Lie:
    """An election of its own: whoever asks here always wins."""

    def __init__(self) -> None:
        self._lease: Manifest | None = None
        self._version = 0

    def rule(self, call: Call) -> Fault | None:
        """Return what happens to this call."""
        return self._answer if call.is_election else None

    async def _answer(self, exchange: Exchange) -> web.Response:
        if exchange.call.method != "GET":
            self._version += 1
            self._lease = json.loads(exchange.call.body)
            self._lease["metadata"]["resourceVersion"] = str(self._version)
        if self._lease is None:
            return refusal(404, "NotFound")
        return web.json_response(self._lease)
