"""What one target needs now."""

from datetime import timedelta

import pytest

from controller.targets.decide import (
    Admit,
    Check,
    Limits,
    Past,
    Remove,
    Step,
    Wait,
    decide,
    pause_after,
)
from krkn_grpc.reservations.in_progress import mark
from krkn_grpc.resources import well_known
from tests.unit.controller.targets.builders import NOW, ATarget

LIMITS = Limits(
    probe_interval_seconds=300,
    first_retry_seconds=5,
    duplicate_retry_seconds=15,
    abandoned_seconds=40,
)
NEW = ATarget()
MARKED = NEW.with_metadata(annotations=mark(NOW))
READY = NEW.admitted().checked(ready=True)
FAILED = NEW.admitted().checked(ready=False)


def requested(target: ATarget, ago: float) -> ATarget:
    """The target with a request for a check, so many seconds before NOW."""
    asked = (NOW - timedelta(seconds=ago)).isoformat(timespec="milliseconds")
    return target.with_metadata(annotations={well_known.CHECK_REQUESTED: asked})


def answered(ago: float) -> Past:
    """Memory of the request of that time."""
    [request] = requested(NEW, ago).metadata.annotations.values()
    return Past(answered=request)


EARLIER = NEW.admitted().checked(ready=True, ago=60)


@pytest.mark.parametrize(
    ("target", "past", "step"),
    [
        pytest.param(NEW, Past(), Admit(), id="written with kubectl"),
        pytest.param(MARKED, Past(known_seconds=39), Wait(1), id="a server is at it"),
        pytest.param(MARKED, Past(known_seconds=40), Remove(), id="a server has left it"),
        pytest.param(MARKED.admitted(), Past(known_seconds=99), Check(), id="a server admitted it"),
        pytest.param(NEW.admitted(generation=1), Past(), Admit(), id="changed"),
        pytest.param(MARKED.admitted(generation=1), Past(known_seconds=99), Admit(), id="edited"),
        pytest.param(NEW.refused(generation=1), Past(), Admit(), id="changed by a loser"),
        pytest.param(NEW.refused(), Past(refused_seconds=5), Wait(10), id="lost just now"),
        pytest.param(NEW.refused(), Past(refused_seconds=15), Admit(), id="lost a while ago"),
        pytest.param(NEW.refused(), Past(), Admit(), id="lost, and it may be free now"),
        pytest.param(NEW.admitted(), Past(), Check(), id="never checked"),
        pytest.param(
            NEW.admitted().checked(ready=True, generation=1), Past(), Check(), id="another spec"
        ),
        pytest.param(READY, Past(), Wait(300), id="ready"),
        pytest.param(
            NEW.admitted().checked(ready=True, ago=300), Past(), Check(), id="ready, long ago"
        ),
        pytest.param(
            NEW.admitted().checked(ready=True, ago=-999), Past(), Wait(300), id="a clock is wrong"
        ),
        pytest.param(FAILED, Past(failures=1), Wait(5), id="failed once"),
        pytest.param(FAILED, Past(failures=3), Wait(20), id="failed three times"),
        pytest.param(FAILED, Past(failures=0), Wait(5), id="failed before the controller started"),
        pytest.param(
            NEW.admitted().checked(ready=False, ago=20), Past(failures=3), Check(), id="due"
        ),
        pytest.param(requested(EARLIER, 30), Past(), Check(), id="requested since"),
        pytest.param(requested(EARLIER, 30), answered(30), Wait(240), id="requested, and answered"),
        pytest.param(requested(EARLIER, 10), answered(30), Check(), id="requested once more"),
        pytest.param(requested(EARLIER, 90), Past(), Wait(240), id="requested before"),
        pytest.param(requested(EARLIER, 62), Past(), Check(), id="before, by another's clock"),
        pytest.param(requested(EARLIER, -9e7), Past(), Check(), id="requested in the future"),
        pytest.param(requested(EARLIER, -9e7), answered(-9e7), Wait(240), id="and answered"),
        pytest.param(
            EARLIER.with_metadata(annotations={well_known.CHECK_REQUESTED: "now"}),
            Past(),
            Wait(240),
            id="requested in other words",
        ),
        pytest.param(requested(NEW.refused(), 0), Past(refused_seconds=5), Wait(10), id="a loser"),
        pytest.param(READY.with_metadata(deletion_timestamp=NOW), Past(), Wait(None), id="going"),
        pytest.param(NEW.with_metadata(deletion_timestamp=NOW), Past(), Wait(None), id="gone"),
    ],
)
def test_step(target: ATarget, past: Past, step: Step) -> None:
    assert decide(target.built(), past, NOW, LIMITS) == step


def test_a_failing_cluster_is_asked_ever_less_often() -> None:
    pauses = [pause_after(False, failures, LIMITS) for failures in range(1, 10)]
    assert pauses == [5, 10, 20, 40, 80, 160, 300, 300, 300]
    assert pause_after(False, 10_000, LIMITS) == 300
    assert pause_after(True, 0, LIMITS) == 300


def test_a_mark_that_is_older_than_the_target_is_a_copy_s() -> None:
    old = NEW.with_metadata(annotations=mark(NOW - timedelta(hours=1)))
    assert decide(old.built(), Past(known_seconds=99), NOW, LIMITS) == Admit()
