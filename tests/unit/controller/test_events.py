"""Events are the last of all work: what is dropped, and what waits."""

import asyncio
from dataclasses import dataclass, field
from typing import Any, cast

from controller.events import EventRecorder, event_about
from krkn_grpc.resources.core import Event
from tests.unit.controller.targets.builders import NOW, ATarget


@dataclass
class Written:
    """Writes no Event before it is let."""

    names: list[str] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    async def create(self, event: Event) -> None:
        await self.gate.wait()
        self.names.append(event.reason)


def event(reason: str) -> Event:
    target = ATarget().with_metadata(resource_version="1").built()
    return event_about(target, NOW, action="a", reason=reason, note="", went_well=True)


async def others() -> None:
    """Let the recorder have its turns."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_an_event_that_may_wait_for_none_is_dropped() -> None:
    written = Written()
    recorder = EventRecorder(cast(Any, written))
    recorder.announce_if_idle(event("first"))
    recorder.announce_if_idle(event("dropped"))
    recorder.announce(event("kept"))
    recorder.announce(None)
    recorder.announce_if_idle(None)
    task = asyncio.create_task(recorder.run())
    written.gate.set()
    await others()
    recorder.announce_if_idle(event("idle again"))
    await others()
    task.cancel()
    assert written.names == ["first", "kept", "idle again"]
