"""Which targets clients know of."""

from datetime import datetime, timedelta

import pytest

from krkn_grpc.reservations.in_progress import is_registered, is_under_way, mark
from krkn_grpc.resources.well_known import REGISTERED_BY_SERVER
from tests.unit.controller.targets.builders import NOW, ATarget

NEW = ATarget()


def marked(text: str) -> ATarget:
    return NEW.with_metadata(annotations={REGISTERED_BY_SERVER: text})


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        pytest.param(NEW, False, id="no mark"),
        pytest.param(NEW.with_metadata(annotations=mark(NOW)), True, id="marked"),
        pytest.param(
            NEW.with_metadata(annotations=mark(NOW + timedelta(minutes=5))),
            True,
            id="clocks differ",
        ),
        pytest.param(
            NEW.with_metadata(annotations=mark(NOW - timedelta(minutes=11))), False, id="a copy"
        ),
        pytest.param(NEW.with_metadata(annotations=mark(NOW)).admitted(), False, id="admitted"),
        pytest.param(NEW.with_metadata(annotations=mark(NOW)).refused(), False, id="refused"),
        pytest.param(
            NEW.with_metadata(annotations=mark(NOW)).admitted(generation=1), False, id="changed"
        ),
        pytest.param(marked("true"), False, id="no time"),
        pytest.param(marked(""), False, id="empty"),
        pytest.param(marked(datetime(2026, 3, 4, 5, 6).isoformat()), False, id="no time zone"),
    ],
)
def test_under_way(target: ATarget, expected: bool) -> None:
    assert is_under_way(target.built()) == expected
    assert is_registered(target.built()) != expected


def test_what_is_deleted_is_not_registered() -> None:
    going = NEW.admitted().with_metadata(deletion_timestamp=NOW)
    assert not is_registered(going.built())
