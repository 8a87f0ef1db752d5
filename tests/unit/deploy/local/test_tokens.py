"""By a clock that says what a machine's clock says which sleeps, or is set."""

import pytest

from deploy.local.errors import StartError
from deploy.local.tokens import is_due, keep_fresh

HALF = 1800.0
EIGHT_HOURS = 8 * 3600.0


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        pytest.param(HALF - 1, False, id="young"),
        pytest.param(HALF, True, id="half of its life is over"),
        pytest.param(EIGHT_HOURS, True, id="the machine slept"),
        pytest.param(-60.0, False, id="the clock was set back a little"),
        pytest.param(-EIGHT_HOURS, True, id="the clock was set back far"),
    ],
)
def test_when_tokens_are_due(now: float, expected: bool) -> None:
    assert is_due(renewed_at=0.0, now=now) is expected


class EndOfTimeError(Exception):
    pass


class Machine:
    """Its clock says these times, one after the other; the first renewals may fail."""

    def __init__(self, *times: float, failures: int = 0) -> None:
        self._times, self._failures = list(times), failures
        self.now = 0.0
        self.renewed_at: list[float] = []
        self.notes: list[str] = []

    def clock(self) -> float:
        if not self._times:
            raise EndOfTimeError
        self.now = self._times.pop(0)
        return self.now

    async def renew(self) -> None:
        if self._failures:
            self._failures -= 1
            raise StartError("no network")
        self.renewed_at.append(self.now)

    async def run(self) -> None:
        with pytest.raises(EndOfTimeError):
            await keep_fresh(self.renew, self.notes.append, clock=self.clock, look_seconds=0)


async def test_tokens_are_renewed_at_half_of_their_life() -> None:
    machine = Machine(0, 5, 1795, 1800, 1805, 3595, 3600, 3605)
    await machine.run()
    assert machine.renewed_at == [1800, 3600]


async def test_after_a_sleep_tokens_are_renewed_at_once() -> None:
    machine = Machine(0, 5, EIGHT_HOURS, EIGHT_HOURS + 5)
    await machine.run()
    assert machine.renewed_at == [EIGHT_HOURS]


async def test_a_renewal_that_fails_is_tried_again_soon() -> None:
    machine = Machine(0, 1800, 1805, 1810, 1815, failures=2)
    await machine.run()
    assert machine.renewed_at == [1810]
    assert len(machine.notes) == 2
