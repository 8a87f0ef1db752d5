"""Bounds of a run stand in four places; here they are once, and each place is held against them."""

import re
from dataclasses import dataclass
from typing import Any

import pytest
import yaml

from deploy.local.services import REPOSITORY
from krkn_grpc.edge.direct_responses import DOCUMENT
from krkn_grpc.server.errors import InvalidRequest
from tests.unit.server.runs.requests import a_file, a_run

PROTO = (REPOSITORY / "proto/krkn_grpc/v1/scenario_runs.proto").read_text()
OPENAPI = yaml.safe_load(DOCUMENT.read_text())["components"]["schemas"]
CRD = yaml.safe_load((REPOSITORY / "deploy/crds/krknchaosjobs.yaml").read_text())
SPEC = CRD["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]


@dataclass(frozen=True)
class Bound:
    """The most that a field of RunScenarioRequest or ScenarioFile may have."""

    field: str
    """Its name in the proto."""
    json: str
    keyword: str
    """How OpenAPI and the CRD say it."""
    most: int
    message: str = "RunScenarioRequest"
    in_spec: bool = True
    """Whether the job's spec has it too; its labels are metadata, and it has one target."""

    def value(self, size: int) -> Any:
        """Return a value of this size."""
        match self.field:
            case "target_uuids":
                return [str(number) for number in range(size)]
            case "labels":
                return {f"l{number}": "" for number in range(size)}
            case "abort_on":
                return ['{a="b"}'] * size
            case "files":
                return [a_file(name=f"{n}", mount_path=f"/etc/{n}") for n in range(size)]
            case "timeout_seconds":
                return size
            case "scenario_image":
                # Its parts have bounds of their own.
                return f"{'h' * (size - 457)}.example/{'a' * 255}:{'t' * 120}@sha256:{'0' * 64}"
            case "kubeconfig_path" | "mount_path":
                return "/" + "p" * (size - 1)
        return "n" * size

    def passes(self, size: int) -> bool:
        """Say whether a request with so much of it passes."""
        value = self.value(size)
        changes = (
            {self.field: value}
            if self.message == "RunScenarioRequest"
            else {"files": [a_file(**{self.field: value})]}
        )
        refused: list[str] = []
        try:
            a_run(**changes)
        except InvalidRequest as error:
            refused = [each.field.rpartition(".")[2] for each in error.violations]
        assert refused in ([], [self.json])
        return not refused


BOUNDS = [
    Bound("target_uuids", "targetUUIDs", "maxItems", 1000, in_spec=False),
    Bound("scenario_image", "scenarioImage", "maxLength", 512),
    Bound("scenario_name", "scenarioName", "maxLength", 253),
    Bound("kubeconfig_path", "kubeconfigPath", "maxLength", 4096),
    Bound("files", "files", "maxItems", 16),
    Bound("timeout_seconds", "timeoutSeconds", "maximum", 86_400),
    Bound("abort_on", "abortOn", "maxItems", 16, in_spec=False),
    Bound("labels", "labels", "maxProperties", 64, in_spec=False),
    Bound("name", "name", "maxLength", 253, message="ScenarioFile"),
    Bound("mount_path", "mountPath", "maxLength", 4096, message="ScenarioFile"),
]
each_bound = pytest.mark.parametrize("bound", BOUNDS, ids=lambda bound: bound.json)


@each_bound
def test_the_server_takes_the_most_and_no_more(bound: Bound) -> None:
    assert bound.passes(bound.most)
    assert not bound.passes(bound.most + 1)


@each_bound
def test_the_comment_of_the_proto_says_it(bound: Bound) -> None:
    body = re.split(rf"(?m)^message {bound.message} ", PROTO)[1].split("\n}\n")[0]
    comment, _, _ = re.split(rf" {bound.field} = \d+", body)[0].rpartition("\n")
    said = comment.rpartition("];\n")[2].replace("\n  // ", " ")
    assert re.search(rf"(at most|to) {bound.most}\b", said), said


@each_bound
def test_the_openapi_document_says_it(bound: Bound) -> None:
    assert OPENAPI[bound.message]["properties"][bound.json][bound.keyword] == bound.most


@pytest.mark.parametrize(
    "bound", [bound for bound in BOUNDS if bound.in_spec], ids=lambda bound: bound.json
)
def test_the_resource_definition_says_it(bound: Bound) -> None:
    fields = SPEC if bound.message == "RunScenarioRequest" else SPEC["files"]["items"]["properties"]
    assert fields[bound.json][bound.keyword] == bound.most
