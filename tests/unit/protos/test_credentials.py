"""A credential goes in and never comes out."""

import re

from google.api.field_behavior_pb2 import INPUT_ONLY
from google.protobuf.descriptor import Descriptor, FieldDescriptor

# What may hold a secret, in requests.
SECRET = {
    "CreateTargetRequest": {"kubeconfig", "token", "username", "password"},
    "UpdateTargetRequest": {"kubeconfig", "token", "username", "password"},
    "RunScenarioRequest": {
        "environment",
        "secret_environment",
        "username",
        "password",
        "token",
    },
    "RerunRunRequest": {"secret_environment", "username", "password", "token"},
    "ScenarioFile": {"content"},
    "ListScenariosRequest": {"username", "password", "token"},
    "GetScenarioRequest": {"username", "password", "token"},
    "GetScenarioGlobalsRequest": {"username", "password", "token"},
}
LIKE_A_CREDENTIAL = re.compile(
    "pass|token|secret|credential|kubeconfig|auth|key|user|environment|content|cert|bundle|file"
)
# These read like one and are none: of a parameter, `secret` says that it is one; of a job and a
# run, `environment` has the variables that are not secret.
HARMLESS = {
    # Of GetAccess: the name of the caller who asks.
    "user",
    "secret_type",
    "next_page_token",
    "resume_token",
    "kubeconfig_path",
    "secret",
    "environment",
    "secret_environment_names",
    "file_names",
    "passed",
    "passed_slos",
}


def _fields(message: Descriptor) -> list[FieldDescriptor]:
    return [] if message.GetOptions().map_entry else list(message.fields)


def _is_only_taken_in(field: FieldDescriptor) -> bool:
    options = {option.name: value for option, value in field.GetOptions().ListFields()}
    return INPUT_ONLY in options["field_behavior"]


def test_no_reply_has_a_field_for_a_credential(reply_messages: dict[str, Descriptor]) -> None:
    ours = [m for name, m in reply_messages.items() if name.startswith("krkn.v1.")]
    names = [field.name for message in ours for field in _fields(message)]
    assert [n for n in names if LIKE_A_CREDENTIAL.search(n) and n not in HARMLESS] == []


def test_replies_hold_nothing_of_others_but_the_log(reply_messages: dict[str, Descriptor]) -> None:
    foreign = {name for name in reply_messages if not name.startswith("krkn.v1.")}
    json_values = {"ListValue", "Value", "Struct", "Struct.FieldsEntry"}  # ListClusters: targetData
    assert foreign == {
        "google.api.HttpBody",
        "google.protobuf.Any",
        *(f"google.protobuf.{name}" for name in json_values),
    }


def test_no_message_with_a_secret_is_in_a_reply(reply_messages: dict[str, Descriptor]) -> None:
    assert {f"krkn.v1.{name}" for name in SECRET} & reply_messages.keys() == set()


def test_every_secret_is_redacted_and_only_taken_in(messages: dict[str, Descriptor]) -> None:
    redacted = {
        name: {f.name for f in _fields(message) if f.GetOptions().debug_redact}
        for name, message in messages.items()
    }
    taken_in = {
        name: {f.name for f in _fields(message) if _is_only_taken_in(f)}
        for name, message in messages.items()
    }
    assert {name: fields for name, fields in redacted.items() if fields} == SECRET
    assert {name: fields for name, fields in taken_in.items() if fields} == SECRET
