"""The index groups of runs hold all that a filter asks for."""

import itertools

from krkn_grpc.kube.object_cache import ObjectCache
from krkn_grpc.resources.chaos_run import ChaosRun, ChaosRunSpec, ChaosRunStatus, RunPhase, RunStop
from krkn_grpc.resources.meta import ObjectMeta
from krkn_grpc.server.chaos_runs import filters
from krkn_grpc.v1 import runs_pb2 as pb

PHASES: tuple[RunPhase, ...] = ("Pending", "Running", "Failed")


def a_run(name: str, phase: RunPhase, scenario: str, user: str, *, stop: bool) -> ChaosRun:
    return ChaosRun(
        metadata=ObjectMeta(
            name=name, resource_version="1", labels={"team": user, "krkn-scenario-name": scenario}
        ),
        spec=ChaosRunSpec(
            targets=[],
            fingerprint="f",
            scenario_name=scenario,
            scenario_image="i",
            requested_by=user,
            stop=RunStop(reason="StopRequested") if stop else None,
        ),
        status=ChaosRunStatus(phase=phase),
    )


def test_a_filter_finds_by_groups_what_it_finds_among_all() -> None:
    kinds = list(itertools.product(PHASES, ("pods", "nodes"), ("alice", "", "bob"), (False, True)))
    runs = [
        a_run(f"r{number}", phase, scenario, user, stop=stop)
        for number, (phase, scenario, user, stop) in enumerate(kinds)
    ]
    cache: ObjectCache[ChaosRun] = ObjectCache(filters.index_func)
    cache.replace(runs, 1)
    asked = itertools.product(
        ("", *filters.STATUSES),
        ("", "pods", "other"),
        ("", "alice", "eve"),
        ("", "team=alice", "team in (alice,bob)", "krkn-scenario-name=pods", "team=alice,!x"),
    )
    for status, scenario, user, selector in asked:
        request = pb.ListRunsRequest(
            status=status, scenario_name=scenario, requested_by=user, label_selector=selector
        )
        wanted = filters.checked(request)
        found = {run.metadata.name for run in wanted.among(cache, None)}
        assert found == {run.metadata.name for run in runs if wanted.passes(run)}


def test_a_run_that_is_to_stop_is_stopping_until_it_is_final() -> None:
    assert a_run("r", "Running", "n", "", stop=True).public_status == "Stopping"
    assert a_run("r", "Failed", "n", "", stop=True).public_status == "Failed"
