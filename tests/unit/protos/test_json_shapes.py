"""Every message has the JSON names, types and shapes that clients know."""

import pytest
from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from krkn_grpc.v1 import health_pb2, scenario_runs_pb2, scenarios_pb2, targets_pb2, watch_pb2
from tests.unit.protos.access_shapes import ACCESS
from tests.unit.protos.alert_shapes import ALERTS
from tests.unit.protos.halt_shapes import HALTS
from tests.unit.protos.run_shapes import RUNS
from tests.unit.protos.scenario_run_shapes import SCENARIO_RUNS
from tests.unit.protos.scenario_shapes import SCENARIOS
from tests.unit.protos.target_request_shapes import TARGET_REQUESTS
from tests.unit.protos.target_shapes import TARGETS

MESSAGES: dict[str, dict[str, str]] = {
    **SCENARIO_RUNS,
    "WatchError": {"code": "int32", "message": "string"},
    "GetHealthRequest": {},
    "GetHealthResponse": {"status": "string"},
    **ACCESS,
    **ALERTS,
    **HALTS,
    **RUNS,
    **SCENARIOS,
    **TARGET_REQUESTS,
    **TARGETS,
}

TYPES = {
    FieldDescriptor.TYPE_STRING: "string",
    FieldDescriptor.TYPE_BOOL: "bool",
    # No 64-bit type: JSON prints those as strings.
    FieldDescriptor.TYPE_INT32: "int32",
    FieldDescriptor.TYPE_DOUBLE: "double",
}


def _type(field: FieldDescriptor) -> str:
    inner = field.message_type
    if inner is not None and inner.GetOptions().map_entry:
        key, value = (_type(inner.fields_by_name[name]) for name in ("key", "value"))
        return f"map<{key}, {value}>"
    name = TYPES[field.type] if inner is None else inner.name
    if field.is_repeated:
        return f"repeated {name}"
    return f"optional {name}" if inner is None and field.has_presence else name


def test_every_message_has_the_documented_fields(messages: dict[str, Descriptor]) -> None:
    fields = {
        name: {field.json_name: _type(field) for field in message.fields}
        for name, message in messages.items()
    }
    assert fields == MESSAGES


UUID = "6f1c1a52-5d0c-4b1e-9a51-7a4f0f8f3a10"
TIME = "2026-01-02T03:04:05Z"


@pytest.mark.parametrize(
    ("message", "printed"),
    [
        pytest.param(
            targets_pb2.Target(uuid=UUID),
            {
                "uuid": UUID,
                "clusterName": "",
                "clusterAPIURL": "",
                "secretType": "",
                "ready": False,
                "reason": "",
                "message": "",
                "labels": {},
                "serverVersion": "",
                "provider": "",
            },
            id="a target that was never checked has no times",
        ),
        pytest.param(
            scenario_runs_pb2.Job(job_id=UUID, status="Pending"),
            {
                "jobId": UUID,
                "targetUUID": "",
                "scenarioName": "",
                "status": "Pending",
                "podName": "",
                "message": "",
                "reason": "",
                "requestedBy": "",
                "labels": {},
                "clusterName": "",
                "scenarioImage": "",
                "timeoutSeconds": 0,
                "environment": {},
                "secretEnvironmentNames": [],
                "fileNames": [],
                "runId": "",
            },
            id="a pending job has no times and no exit code",
        ),
        pytest.param(
            scenario_runs_pb2.Job(
                status="Succeeded", start_time=TIME, completion_time=TIME, exit_code=0
            ),
            {
                "jobId": "",
                "targetUUID": "",
                "scenarioName": "",
                "status": "Succeeded",
                "podName": "",
                "startTime": TIME,
                "completionTime": TIME,
                "message": "",
                "reason": "",
                "exitCode": 0,
                "requestedBy": "",
                "labels": {},
                "clusterName": "",
                "scenarioImage": "",
                "timeoutSeconds": 0,
                "environment": {},
                "secretEnvironmentNames": [],
                "fileNames": [],
                "runId": "",
            },
            id="exit code 0 is printed",
        ),
        pytest.param(
            scenario_runs_pb2.RunScenarioResponse(
                jobs=[
                    scenario_runs_pb2.TargetJobResult(
                        target_uuid=UUID, job_id=UUID, status="Pending", success=True
                    ),
                    scenario_runs_pb2.TargetJobResult(
                        target_uuid="x", status="Failed", error="There is no such target."
                    ),
                ],
                total_targets=2,
                successful_jobs=1,
                failed_jobs=1,
            ),
            {
                "jobs": [
                    {
                        "targetUUID": UUID,
                        "jobId": UUID,
                        "status": "Pending",
                        "podName": "",
                        "success": True,
                    },
                    {
                        "targetUUID": "x",
                        "jobId": "",
                        "status": "Failed",
                        "podName": "",
                        "success": False,
                        "error": "There is no such target.",
                    },
                ],
                "totalTargets": 2,
                "successfulJobs": 1,
                "failedJobs": 1,
                "runId": "",
            },
            id="an error is printed only where there is one",
        ),
        pytest.param(
            scenario_runs_pb2.ListScenarioRunsResponse(),
            {"jobs": [], "nextPageToken": ""},
            id="an empty list of jobs is a list",
        ),
        pytest.param(
            targets_pb2.ListTargetsResponse(),
            {"targets": [], "nextPageToken": ""},
            id="an empty list of targets is a list",
        ),
        pytest.param(
            scenario_runs_pb2.WatchScenarioRunsResponse(type="SYNCED", resume_token="r"),
            {"type": "SYNCED", "resumeToken": "r"},
            id="SYNCED has no job and no error",
        ),
        pytest.param(
            targets_pb2.WatchTargetsResponse(type="SYNCED", resume_token="r"),
            {"type": "SYNCED", "resumeToken": "r"},
            id="SYNCED has no target and no error",
        ),
        pytest.param(
            scenario_runs_pb2.WatchScenarioRunsResponse(
                type="ERROR", error=watch_pb2.WatchError(code=11, message="Start anew.")
            ),
            {"type": "ERROR", "resumeToken": "", "error": {"code": 11, "message": "Start anew."}},
            id="ERROR says why",
        ),
        pytest.param(
            scenarios_pb2.ListScenariosResponse(
                scenarios=[scenarios_pb2.ScenarioSummary(name="n", title="t")]
            ),
            {"scenarios": [{"name": "n", "title": "t", "digest": "", "size": 0}]},
            id="what is not known of an image is empty, and no time",
        ),
        pytest.param(
            health_pb2.GetHealthResponse(status="healthy"), {"status": "healthy"}, id="health"
        ),
    ],
)
def test_a_reply_prints_zero_values_but_not_what_is_unset(
    message: Message, printed: dict[str, object]
) -> None:
    assert json_format.MessageToDict(message, always_print_fields_with_no_presence=True) == printed
