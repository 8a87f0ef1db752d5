"""When a target has an Event, and what it says."""

from dataclasses import replace

import pytest

from controller.targets.events import event_for
from tests.unit.controller.targets.builders import NOW, ATarget

NEW = ATarget().with_metadata(resource_version="26", namespace="here")
READY = NEW.admitted().checked(ready=True)
FAILED = NEW.admitted().checked(ready=False)
OTHERWISE = NEW.admitted().with_condition("Ready", "False", "Unauthorized")


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        pytest.param(NEW, NEW.admitted(), None, id="admitted"),
        pytest.param(NEW.admitted(), READY, ("Ready", "Normal", "Reachable"), id="ready at first"),
        pytest.param(
            NEW.admitted(), FAILED, ("NotReady", "Warning", "Unreachable"), id="not ready at first"
        ),
        pytest.param(READY, FAILED, ("NotReady", "Warning", "Unreachable"), id="not any more"),
        pytest.param(FAILED, READY, ("Ready", "Normal", "Reachable"), id="ready again"),
        pytest.param(READY, replace(READY), None, id="still ready"),
        pytest.param(FAILED, OTHERWISE, None, id="not ready for another reason"),
        pytest.param(READY, NEW.admitted(), None, id="changed, and not checked yet"),
    ],
)
def test_an_event_says_that_a_target_became_ready_or_not(
    before: ATarget, after: ATarget, said: tuple[str, str, str] | None
) -> None:
    event = event_for(before.built(), after.built(), NOW)
    assert said == (None if event is None else (event.action, event.type, event.reason))
    if event is not None:
        target = after.built()
        assert event.metadata.name == f"{target.metadata.name}.1a"
        assert (event.regarding.kind, event.regarding.uid) == (
            "KrknOperatorTarget",
            target.metadata.uid,
        )
