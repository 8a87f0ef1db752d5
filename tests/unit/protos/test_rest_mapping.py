"""Every rpc has the REST call that clients know, and no other."""

import re

from google.api.field_behavior_pb2 import REQUIRED
from google.api.http_pb2 import HttpRule
from google.protobuf.descriptor import FileDescriptor, MethodDescriptor

TARGETS = "/api/v1/operator/targets"
DISCOVERY = "/api/v1/targets"
RUN = "/api/v1/scenarios/run"
RUNS = "/api/v1/runs"
SCENARIOS = "/api/v1/scenarios"

# rpc: verb and path, where the body goes -> what comes back
REST = {
    "TargetService.CreateTarget": f"post {TARGETS} body=* -> CreateTargetResponse",
    "TargetService.ListTargets": f"get {TARGETS} -> ListTargetsResponse",
    "TargetService.GetTarget": f"get {TARGETS}/{{uuid}} -> Target",
    "TargetService.UpdateTarget": f"put {TARGETS}/{{uuid}} body=* -> UpdateTargetResponse",
    "TargetService.PatchTarget": f"patch {TARGETS}/{{uuid}} body=* -> Target",
    "TargetService.CheckTarget": f"post {TARGETS}/{{uuid}}:check -> Target",
    "TargetService.WatchTargets": f"get {TARGETS}:watch -> stream WatchTargetsResponse",
    "TargetService.DeleteTarget": f"delete {TARGETS}/{{uuid}} -> DeleteTargetResponse",
    "TargetRequestService.DiscoverTargets": f"post {DISCOVERY} -> DiscoverTargetsResponse",
    "TargetRequestService.GetDiscovery": f"get {DISCOVERY}/{{uuid}} -> Discovery",
    "TargetRequestService.ListClusters": "get /api/v1/clusters -> ListClustersResponse",
    "TargetRequestService.DeleteDiscovery": (
        f"delete {DISCOVERY}/{{uuid}} -> DeleteDiscoveryResponse"
    ),
    "AlertService.ReceiveAlerts": "post /api/v1/alerts body=* -> ReceiveAlertsResponse",
    "HaltService.CreateHalt": "post /api/v1/halts body=* -> Halt",
    "HaltService.ListHalts": "get /api/v1/halts -> ListHaltsResponse",
    "HaltService.DeleteHalt": "delete /api/v1/halts/{name} -> DeleteHaltResponse",
    "ScenarioRunService.RunScenario": f"post {RUN} body=* -> RunScenarioResponse",
    "ScenarioRunService.ListScenarioRuns": f"get {RUN} -> ListScenarioRunsResponse",
    "ScenarioRunService.GetScenarioRunStatus": f"get {RUN}/{{job_id}} -> Job",
    "ScenarioRunService.StopScenarioRun": f"delete {RUN}/{{job_id}} -> Job",
    "ScenarioRunService.StreamLogs": (f"get {RUN}/{{job_id}}/logs -> stream google.api.HttpBody"),
    "ScenarioRunService.WatchScenarioRuns": f"get {RUN}:watch -> stream WatchScenarioRunsResponse",
    "ScenarioRunService.ListRuns": f"get {RUNS} -> ListRunsResponse",
    "ScenarioRunService.GetRun": f"get {RUNS}/{{run_id}} -> Run",
    "ScenarioRunService.StopRun": f"delete {RUNS}/{{run_id}} -> Run",
    "ScenarioRunService.RerunRun": (f"post {RUNS}/{{run_id}}:rerun body=* -> RunScenarioResponse"),
    "ScenarioRunService.StreamRunLogsAsText": (
        f"get {RUNS}/{{run_id}}/logs -> stream google.api.HttpBody"
    ),
    "ScenarioService.ListScenarios": f"get {SCENARIOS} -> ListScenariosResponse",
    "ScenarioService.GetScenario": f"get {SCENARIOS}/detail/{{name}} -> Scenario",
    "ScenarioService.GetScenarioGlobals": f"get {SCENARIOS}/globals/{{name}} -> ScenarioGlobals",
    "AccessService.GetAccess": "get /api/v1/access -> Access",
    "HealthService.GetHealth": "get /api/v1/health -> GetHealthResponse",
}
# REST has its lines as text, by an rpc of its own.
GRPC_ONLY = {"ScenarioRunService.StreamRunLogs"}


def _methods(files: tuple[FileDescriptor, ...]) -> dict[str, MethodDescriptor]:
    services = [service for file in files for service in file.services_by_name.values()]
    return {
        name: m
        for s in services
        for m in s.methods
        if (name := f"{s.name}.{m.name}") not in GRPC_ONLY
    }


def _rule(method: MethodDescriptor) -> HttpRule:
    options = {option.full_name: value for option, value in method.GetOptions().ListFields()}
    rule: HttpRule = options["google.api.http"]
    return rule


def _rest(method: MethodDescriptor) -> str:
    rule = _rule(method)
    verb = rule.WhichOneof("pattern")
    body = f" body={rule.body}" if rule.body else ""
    reply = method.output_type.full_name.removeprefix("krkn.v1.")
    stream = "stream " if method.server_streaming else ""
    return f"{verb} {getattr(rule, verb)}{body} -> {stream}{reply}"


def test_every_rpc_has_the_documented_rest_call(files: tuple[FileDescriptor, ...]) -> None:
    assert {name: _rest(method) for name, method in _methods(files).items()} == REST


def test_what_is_for_grpc_alone_has_no_rest_call(files: tuple[FileDescriptor, ...]) -> None:
    services = {s.name: s for file in files for s in file.services_by_name.values()}
    for name in GRPC_ONLY:
        service, _, method = name.partition(".")
        options = services[service].methods_by_name[method].GetOptions().ListFields()
        assert "google.api.http" not in {option.full_name for option, _ in options}


def test_a_second_rest_call_is_the_post_of_clients_that_send_an_object(
    files: tuple[FileDescriptor, ...],
) -> None:
    rules = {name: _rule(method) for name, method in _methods(files).items()}
    assert not any(rule.response_body for rule in rules.values())
    second = {
        name: list(r.additional_bindings) for name, r in rules.items() if r.additional_bindings
    }
    assert second.keys() == {name for name in REST if name.startswith("ScenarioService.")}
    for name, bindings in second.items():
        assert bindings == [HttpRule(post=rules[name].get, body="*")]


def test_no_rpc_takes_a_stream(files: tuple[FileDescriptor, ...]) -> None:
    # REST could not call it.
    assert [name for name, m in _methods(files).items() if m.client_streaming] == []


def test_the_package_is_the_public_one(files: tuple[FileDescriptor, ...]) -> None:
    assert {file.package for file in files} == {"krkn.v1"}


def test_what_is_in_a_path_is_a_required_field(files: tuple[FileDescriptor, ...]) -> None:
    for name, method in _methods(files).items():
        for parameter in re.findall(r"{(\w+)}", _rest(method)):
            options = method.input_type.fields_by_name[parameter].GetOptions().ListFields()
            assert ("field_behavior", [REQUIRED]) in [(o.name, v) for o, v in options], name
