"""Every method that there is has its rule: a new one without does not pass here."""

import re

import pytest
from google.protobuf.descriptor import FileDescriptor, MethodDescriptor
from google.protobuf.message_factory import GetMessageClass
from grpc_health.v1 import health_pb2 as grpc_health_pb2
from grpc_reflection.v1alpha import reflection_pb2

from krkn_grpc.edge.files import FOLDER
from krkn_grpc.edge.limits import FOREIGN_BODIES, MAX_OPEN_BYTES
from krkn_grpc.edge.lua_script import OPEN_METHODS
from krkn_grpc.kube import session
from krkn_grpc.server import limits
from krkn_grpc.server.auth.policy import (
    ACCESS,
    ALERT_CALLS,
    ALERTS,
    CALL_CLASSES,
    CALLS,
    CATALOGUE,
    HALTS,
    JOBS,
    LOGS,
    LOGS_OF_RUNS,
    METHODS,
    PUBLIC_CALLS,
    REQUESTS,
    RUNS,
    TARGETS,
    Authenticated,
    Protected,
    Public,
)
from krkn_grpc.server.chaos_runs.logs import MOST_OPEN
from krkn_grpc.v1 import (
    access_pb2,
    alerts_pb2,
    halts_pb2,
    health_pb2,
    scenario_runs_pb2,
    scenarios_pb2,
    target_requests_pb2,
    targets_pb2,
)

OURS = (
    targets_pb2,
    target_requests_pb2,
    scenarios_pb2,
    scenario_runs_pb2,
    halts_pb2,
    alerts_pb2,
    access_pb2,
    health_pb2,
)
ALL = (*OURS, grpc_health_pb2, reflection_pb2)

# What may be done without a token. Whoever adds to it opens a door.
OPEN = {
    "/krkn.v1.HealthService/GetHealth",
    "/grpc.health.v1.Health/Check",
    "/grpc.health.v1.Health/List",
    "/grpc.health.v1.Health/Watch",
    "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
}
# What every authenticated caller may do: to read what there is to run, and what the caller may do.
OF_ALL_CALLERS = {
    "/krkn.v1.ScenarioService/ListScenarios",
    "/krkn.v1.ScenarioService/GetScenario",
    "/krkn.v1.ScenarioService/GetScenarioGlobals",
    "/krkn.v1.AccessService/GetAccess",
}
# The verbs of RBAC that change something; `run` is asked besides.
CHANGING = {"create", "update", "delete"}
GUARDED = {path: rule for path, rule in METHODS.items() if isinstance(rule, Protected)}


def methods(*modules: object) -> dict[str, MethodDescriptor]:
    """Every method of these protos by its path."""
    files: list[FileDescriptor] = [module.DESCRIPTOR for module in modules]  # type: ignore[attr-defined]
    return {
        f"/{service.full_name}/{method.name}": method
        for file in files
        for service in file.services_by_name.values()
        for method in service.methods
    }


def test_every_method_has_a_rule_and_every_rule_a_method() -> None:
    v1 = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"  # the library has v1alpha only
    assert METHODS.keys() == methods(*ALL).keys() | {v1}


def test_nothing_else_is_open() -> None:
    assert {path for path, rule in METHODS.items() if isinstance(rule, Public)} == OPEN


def test_nothing_else_is_for_every_authenticated_caller() -> None:
    found = {path for path, rule in METHODS.items() if isinstance(rule, Authenticated)}
    assert found == OF_ALL_CALLERS


def test_envoy_takes_little_of_what_is_open() -> None:
    """But for reflection, whose requests come one after the other."""
    assert set(OPEN_METHODS) == {path for path in OPEN if ".reflection." not in path}
    assert all(METHODS[path].pool.largest >= MAX_OPEN_BYTES for path in OPEN_METHODS)


def test_envoy_takes_as_much_of_foreign_bodies_as_the_server() -> None:
    largest = {
        f"/krkn.v1.{rpc.replace('.', '/')}": most_bytes
        for rpc, most_bytes in FOREIGN_BODIES.items()
    }
    assert largest == {
        path: rule.pool.largest for path, rule in METHODS.items() if rule.pool is ALERT_CALLS
    }


def test_streams_take_no_place_of_a_call() -> None:
    streams = {path for path, method in methods(*ALL).items() if method.server_streaming}
    of_calls = {path for path, rule in METHODS.items() if rule.pool in (CALLS, PUBLIC_CALLS)}
    assert not streams & of_calls
    assert {
        path for path, rule in GUARDED.items() if rule.pool in (CALLS, ALERT_CALLS)
    } == GUARDED.keys() - streams
    assert {METHODS[path].pool for path in OF_ALL_CALLERS} == {CATALOGUE, ACCESS}


def test_all_places_together_are_fewer_than_what_lets_calls_through() -> None:
    envoy = (FOLDER / "envoy.yaml.j2").read_text()
    [of_envoy] = re.findall(r"max_requests: (\d+)", envoy)
    places = sum(pool.places for pool in CALL_CLASSES)
    assert places < min(int(of_envoy), limits.MOST_CALLS)
    assert {rule.pool for rule in METHODS.values()} == {*CALL_CLASSES}


def test_logs_leave_connections_for_the_watches_of_the_server_itself() -> None:
    assert LOGS.places + LOGS_OF_RUNS.places * MOST_OPEN < session.STREAMS


@pytest.mark.parametrize("path", GUARDED)
def test_a_call_that_changes_something_is_audited(path: str) -> None:
    rule = GUARDED[path]
    assert (rule.audit is not None) == (rule.verb in CHANGING)
    assert rule.resource in (TARGETS, REQUESTS, JOBS, RUNS, HALTS, ALERTS)


@pytest.mark.parametrize("path", GUARDED)
def test_a_call_on_one_object_asks_by_its_name(path: str) -> None:
    fields = methods(*OURS)[path].input_type.fields_by_name
    names = ("uuid", "job_id", "run_id", "id", "name")
    # A list may be filtered by an id.
    is_list = "label_selector" in fields
    named = next((name for name in names if name in fields and not is_list), None)
    rule = GUARDED[path]
    if rule.pool is LOGS_OF_RUNS:
        # They are asked on all jobs: a run's id is no job's name.
        assert (rule.resource, rule.subresource, rule.name_of) == (JOBS, "log", None)
        return
    name_of = (rule.also or rule).name_of
    assert (name_of is not None) == (named is not None)
    if name_of is not None:
        request = GetMessageClass(methods(*OURS)[path].input_type)()
        setattr(request, str(named), "its name")
        assert name_of(request) == "its name"
