"""What a scenario said of itself at its end. A claim: the scenario wrote it, nobody checked it."""

from typing import Annotated

import msgspec

from krkn_grpc.resources.meta import Struct

# As in the resource definition.
LONGEST_TEXT = 253
MOST_SCENARIOS = 20
MOST_HEALTH_CHECKS = 20

Count = Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]
ExitStatus = Annotated[int, msgspec.Meta(ge=-(2**31), le=2**31 - 1)]
Score = Annotated[float, msgspec.Meta(ge=0, le=100)]


class ReportedScenario(Struct, frozen=True, kw_only=True):
    """One scenario of a run of krkn; `name` is mostly the name of its file."""

    name: str = ""
    type: str = ""
    exit_status: ExitStatus = 0
    affected_pods: Count = 0
    affected_nodes: Count = 0


class ReportedHealthCheck(Struct, frozen=True, kw_only=True):
    """A time in which the URL answered well, or did not."""

    url: str = ""
    passed: bool


class ReportedResult(Struct, frozen=True, kw_only=True):
    """The last thing that krkn prints; the numbers are None where it did not say them.

    The lists are cut: the first `MOST_SCENARIOS`, and the first `MOST_HEALTH_CHECKS`, those that
    failed before the others.
    """

    run_uuid: str = ""
    scenarios: list[ReportedScenario] = []
    resiliency_score: Score | None = None
    passed_slos: Count | None = None
    total_slos: Count | None = None
    failed_alerts: Count | None = None
    health_checks: list[ReportedHealthCheck] = []
