"""Every field says who sets it, to machines and in its comment alike."""

from collections.abc import Iterator

import pytest
from google.api.field_behavior_pb2 import INPUT_ONLY, FieldBehavior
from google.protobuf.descriptor import Descriptor
from google.protobuf.descriptor_pb2 import FieldOptions, FileDescriptorProto
from google.protobuf.message import Message

from krkn_grpc.v1 import halts_pb2, runs_pb2, scenario_runs_pb2, scenarios_pb2, targets_pb2

REQUIRED = {
    "CreateTargetRequest": {"cluster_name", "secret_type"},
    "UpdateTargetRequest": {"uuid", "cluster_name", "secret_type"},
    "GetTargetRequest": {"uuid"},
    "PatchTargetRequest": {"uuid"},
    "CheckTargetRequest": {"uuid"},
    "DeleteTargetRequest": {"uuid"},
    "GetDiscoveryRequest": {"uuid"},
    "ListClustersRequest": {"id"},
    "DeleteDiscoveryRequest": {"uuid"},
    "ReceiveAlertsRequest": {"alerts"},
    "CreateHaltRequest": {"reason"},
    "DeleteHaltRequest": {"name"},
    "RunScenarioRequest": {"target_uuids", "scenario_name"},
    "ScenarioFile": {"name", "mount_path"},
    "GetScenarioRunStatusRequest": {"job_id"},
    "StopScenarioRunRequest": {"job_id"},
    "StreamLogsRequest": {"job_id"},
    "GetRunRequest": {"run_id"},
    "StopRunRequest": {"run_id"},
    "RerunRunRequest": {"run_id"},
    "StreamRunLogsRequest": {"run_id"},
    "StreamRunLogsAsTextRequest": {"run_id"},
    "GetScenarioRequest": {"name"},
    "GetScenarioGlobalsRequest": {"name"},
}
COMMENT = {"REQUIRED": "Required.", "OPTIONAL": "Optional", "OUTPUT_ONLY": "Output only."}


def _behavior(options: FieldOptions) -> str:
    """What the field is to a caller, which it says exactly once."""
    said = {option.name: value for option, value in options.ListFields()}["field_behavior"]
    (behavior,) = (value for value in said if value != INPUT_ONLY)
    name: str = FieldBehavior.Name(behavior)
    return name


def test_reply_fields_are_output_only_and_request_fields_are_not(
    messages: dict[str, Descriptor], reply_messages: dict[str, Descriptor]
) -> None:
    for message in messages.values():
        is_reply = message.full_name in reply_messages
        for field in message.fields:
            is_output = _behavior(field.GetOptions()) == "OUTPUT_ONLY"
            assert is_output == is_reply, field.full_name


def test_nothing_else_is_required(messages: dict[str, Descriptor]) -> None:
    required = {
        name: {f.name for f in message.fields if _behavior(f.GetOptions()) == "REQUIRED"}
        for name, message in messages.items()
    }
    assert {name: fields for name, fields in required.items() if fields} == REQUIRED


@pytest.mark.parametrize(
    ("message", "field"),
    [
        pytest.param(scenario_runs_pb2.RunScenarioRequest(), "timeout_seconds"),
        pytest.param(scenario_runs_pb2.RunScenarioRequest(), "ttl_seconds_after_finished"),
        pytest.param(scenario_runs_pb2.RunScenarioRequest(), "max_failures"),
        pytest.param(scenario_runs_pb2.StreamLogsRequest(), "tail_lines"),
        pytest.param(runs_pb2.StreamRunLogsRequest(), "tail_lines"),
        pytest.param(runs_pb2.Run(), "max_failures"),
        pytest.param(scenario_runs_pb2.Job(), "exit_code"),
        pytest.param(targets_pb2.ListTargetsRequest(), "ready"),
        pytest.param(targets_pb2.PatchTargetRequest(), "cluster_name"),
        pytest.param(scenario_runs_pb2.TargetJobResult(), "error"),
        pytest.param(halts_pb2.Halt(), "message"),
        pytest.param(scenarios_pb2.ScenarioField(), "default"),
    ],
)
def test_zero_and_left_out_are_told_apart(message: Message, field: str) -> None:
    left_out = message.HasField(field)
    setattr(message, field, type(getattr(message, field))())
    assert (left_out, message.HasField(field)) == (False, True)


def _comments(file: FileDescriptorProto) -> Iterator[tuple[str, str, str]]:
    """Each field of a file, what it is to a caller, and its comment."""
    comments = {tuple(at.path): at.leading_comments for at in file.source_code_info.location}
    for i, message in enumerate(file.message_type):
        for j, field in enumerate(message.field):
            # In descriptor.proto, 4 is message_type of a file and 2 is field of a message.
            comment = comments[4, i, 2, j].strip()
            yield f"{message.name}.{field.name}", _behavior(field.options), comment


def test_comments_say_the_same(sources: list[FileDescriptorProto]) -> None:
    said = [comment for file in sources for comment in _comments(file)]
    assert said
    assert [
        (field, comment)
        for field, behavior, comment in said
        if not comment.startswith(COMMENT[behavior])
    ] == []
