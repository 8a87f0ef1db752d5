"""All that is wrong is counted, and some of it is kept."""

import pytest

from krkn_grpc.server.errors import Findings, InvalidRequest
from krkn_grpc.server.runs import validate
from krkn_grpc.v1 import scenario_runs_pb2 as runs
from tests.integration.auth import attacks


def test_violations_are_counted_and_not_kept() -> None:
    findings = Findings()
    for number in range(1_000_000):
        findings.expect(number < 0, f"a[{number}]", "is wrong")
    with pytest.raises(InvalidRequest) as refused:
        findings.settle()
    assert str(refused.value) == "a[0]: is wrong (and 999999 more, 1000000 in all)"
    assert len(refused.value.violations) == 100


def test_nothing_is_wrong() -> None:
    findings = Findings()
    assert findings.expect(True, "a", "b")
    findings.settle()


@pytest.mark.parametrize(
    ("message", "fields"),
    [
        (attacks.targets_without_a_name(), ["targetUUIDs", "scenarioImage", "scenarioName"]),
        (attacks.all_variables(), ["targetUUIDs", "scenarioImage", "scenarioName", "environment"]),
        (attacks.a_file_of_spaces(), ["targetUUIDs", "scenarioImage", "scenarioName", "files"]),
        (
            runs.RunScenarioRequest(labels={f"={n}": "" for n in range(65)}).SerializeToString(),
            ["targetUUIDs", "scenarioImage", "scenarioName", "labels"],
        ),
    ],
)
def test_what_is_too_much_is_said_and_not_looked_at(message: bytes, fields: list[str]) -> None:
    with pytest.raises(InvalidRequest) as refused:
        validate.run(runs.RunScenarioRequest.FromString(message), ("*",), ("/",))
    assert [violation.field for violation in refused.value.violations] == fields
