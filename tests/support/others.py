"""Somebody else who calls while a test does harm: what counts is whether a call of theirs fails."""

import contextlib
import itertools
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import httpx

ADDRESS = "127.0.0.2"
"""Where they call from: Envoy takes each address for a client of its own."""

SECONDS = 60.0
Ask = Callable[[httpx.Client], httpx.Response]


@dataclass
class Others:
    """What they were answered, one call after the other."""

    outcomes: list[httpx.Response | Exception] = field(default_factory=list)

    @property
    def statuses(self) -> Counter[int | str]:
        """How often each status came; an exception is its name."""
        return Counter(
            type(each).__name__ if isinstance(each, Exception) else each.status_code
            for each in list(self.outcomes)
        )

    def refused_safely(self) -> int:
        """Assert that nothing failed but what was refused before it did anything; how often."""
        refused = 0
        for outcome in list(self.outcomes):
            assert isinstance(outcome, httpx.Response), outcome
            if outcome.status_code >= 400:
                assert outcome.status_code == 503, outcome.text
                assert "nothing was done" in outcome.json()["message"]
                assert outcome.headers["retry-after"] == "1"
                refused += 1
        return refused

    def go_on(self, calls: int = 30) -> "Others":
        """Wait until they have called so often again; return what only these were answered."""
        before, end = len(self.outcomes), time.monotonic() + SECONDS
        while len(self.outcomes) < before + calls:
            assert time.monotonic() < end, f"the others wait for an answer: {self.statuses}"
            threading.Event().wait(0.01)
        return Others(self.outcomes[before:])


@contextlib.contextmanager
def others_calling(url: str, asks: Sequence[Ask]) -> Iterator[Others]:
    """Call again and again until the block ends, each time with the next of `asks`."""
    others, over = Others(), threading.Event()
    transport = httpx.HTTPTransport(local_address=ADDRESS)

    def call() -> None:
        with httpx.Client(base_url=url, transport=transport, timeout=SECONDS) as client:
            for ask in itertools.cycle(asks):
                if over.wait(0.01):
                    return
                try:
                    others.outcomes.append(ask(client))
                except httpx.HTTPError as error:
                    others.outcomes.append(error)

    thread = threading.Thread(target=call)
    thread.start()
    try:
        yield others
    finally:
        over.set()
        thread.join()
