"""The OpenAPI document: whole, valid, and true where its generator cannot know."""

import re
from typing import Any

import pytest
import yaml
from google.protobuf.descriptor import Descriptor
from openapi_spec_validator import OpenAPIV30SpecValidator

from krkn_grpc.edge.direct_responses import DOCUMENT
from krkn_grpc.edge.http_rules import DESCRIPTOR_SET, RestApi
from krkn_grpc.edge.limits import FOREIGN_BODIES

DOCUMENTED: dict[str, Any] = yaml.safe_load(DOCUMENT.read_text())
SCHEMAS: dict[str, Any] = DOCUMENTED["components"]["schemas"]
CALLS = {
    call["operationId"].rpartition("_")[2]: call
    for calls in DOCUMENTED["paths"].values()
    for call in calls.values()
}


def test_it_is_valid() -> None:
    OpenAPIV30SpecValidator(DOCUMENTED).validate()


def test_it_has_every_call_and_no_other() -> None:
    def template(path: str) -> str:
        camel = {"job_id": "jobId", "run_id": "runId"}
        return re.sub(r"\{(\w+)\}", lambda name: f"{{{camel.get(name[1], name[1])}}}", path)

    known = {(template(call.path), call.verb.lower()) for call in RestApi(_descriptors()).calls}
    assert {(path, verb) for path, calls in DOCUMENTED["paths"].items() for verb in calls} == known


@pytest.mark.parametrize(
    ("call", "good"),
    [
        ("CreateTarget", {"201"}),
        ("UpdateTarget", {"200"}),
        ("PatchTarget", {"200"}),
        ("CheckTarget", {"200"}),
        ("RunScenario", {"200", "201"}),
        ("StopScenarioRun", {"200"}),
        ("StopRun", {"200"}),
        ("RerunRun", {"201"}),
        ("GetHealth", {"200"}),
    ],
)
def test_successes(call: str, good: set[str]) -> None:
    assert {status for status in CALLS[call]["responses"] if status < "300"} == good


@pytest.mark.parametrize(
    ("call", "own"),
    [
        ("CreateTarget", {"409", "413", "415"}),
        ("UpdateTarget", {"404", "409", "413", "415"}),
        ("PatchTarget", {"404", "409", "413", "415"}),
        ("CheckTarget", {"404"}),
        ("ListTargets", set()),
        ("RunScenario", {"409", "413", "415"}),
        ("StreamLogs", {"404"}),
        ("ListRuns", set()),
        ("ReceiveAlerts", {"409", "413", "415"}),
        ("GetRun", {"404"}),
        ("StopRun", {"404"}),
        ("RerunRun", {"404", "409", "413", "415"}),
        ("StreamRunLogsAsText", {"404"}),
        ("WatchScenarioRuns", set()),
        ("WatchTargets", set()),
    ],
)
def test_errors(call: str, own: set[str]) -> None:
    shared = {"400", "401", "403", "429", "431", "500", "503", "504"}
    assert {status for status in CALLS[call]["responses"] if status >= "400"} == shared | own


def test_only_health_is_open() -> None:
    assert DOCUMENTED["security"] == [{"token": []}]
    assert [name for name, call in CALLS.items() if call.get("security") == []] == ["GetHealth"]
    assert not {"401", "403"} & CALLS["GetHealth"]["responses"].keys()


def test_an_update_has_its_uuid_in_the_path_alone() -> None:
    body = SCHEMAS["UpdateTargetRequest"]
    assert "uuid" not in body["properties"]
    assert body["required"] == ["clusterName", "secretType"]


def test_ids_have_one_type() -> None:
    fields = {
        f"{name}.{field}": schema
        for name, message in SCHEMAS.items()
        for field, schema in message.get("properties", {}).items()
    } | {
        f"{name}.{parameter['name']}": parameter["schema"]
        for name, call in CALLS.items()
        for parameter in call.get("parameters", [])
        if "$ref" not in parameter
    }
    ids = {name: schema for name, schema in fields.items() if re.search(r"(Id|uuid|UUID)$", name)}
    assert {"GetRun.runId", "RunTarget.jobId", "Target.uuid", "Job.targetUUID"} <= ids.keys()
    assert {(schema["type"], schema.get("format")) for schema in ids.values()} == {("string", None)}


@pytest.mark.parametrize(
    "name", ["CreateTargetRequest", "UpdateTargetRequest", "RunScenarioRequest", "ScenarioFile"]
)
def test_bodies_have_no_other_fields(name: str) -> None:
    assert SCHEMAS[name]["additionalProperties"] is False


def test_a_body_that_another_program_defines_may_have_others() -> None:
    foreign = {
        CALLS[rpc.rpartition(".")[2]]["requestBody"]["content"]["application/json"]["schema"][
            "$ref"
        ]
        for rpc in FOREIGN_BODIES
    }
    assert foreign == {"#/components/schemas/ReceiveAlertsRequest"}
    for name in ("ReceiveAlertsRequest", "Alert"):
        assert "additionalProperties" not in SCHEMAS[name]


def test_replies_require_what_is_always_printed() -> None:
    assert "exitCode" not in SCHEMAS["Job"]["required"]
    assert "error" not in SCHEMAS["TargetJobResult"]["required"]
    assert {"jobId", "podName", "labels"} <= set(SCHEMAS["Job"]["required"])


def test_no_reply_has_a_field_for_a_credential(reply_messages: dict[str, Descriptor]) -> None:
    for name in reply_messages:
        fields = SCHEMAS.get(name.rpartition(".")[2], {}).get("properties", {})
        assert not {"password", "token", "kubeconfig"} & fields.keys()


def test_everything_is_explained() -> None:
    for name, call in CALLS.items():
        assert call["summary"], name
        assert call["description"], name
    for name, schema in SCHEMAS.items():
        for field, of in schema["properties"].items():
            assert of.get("description") or field == "@type" or name in ("ErrorInfo", "RetryInfo")


def _descriptors() -> bytes:
    return DESCRIPTOR_SET.read_bytes()
