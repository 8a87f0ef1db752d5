"""Requests for the unit tests: in order unless a test says otherwise."""

import base64
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from krkn_grpc.resources.chaos_run import ChaosRun, ChaosRunSpec, RunTarget
from krkn_grpc.resources.meta import ObjectMeta
from krkn_grpc.resources.target import Target, TargetSpec
from krkn_grpc.server.errors import InvalidRequest
from krkn_grpc.server.runs import validate
from krkn_grpc.server.runs.model import Run
from krkn_grpc.v1 import scenario_runs_pb2 as pb

ALL_IMAGES = ("*",)
EVERYWHERE = ("/",)
NOW = datetime(2026, 1, 1, tzinfo=UTC)
A_CHAOS_RUN = ChaosRun(
    metadata=ObjectMeta(name=str(uuid.uuid4()), uid="uid-of-run", creation_timestamp=NOW),
    spec=ChaosRunSpec(
        targets=[RunTarget(target_uuid=str(uuid.uuid4()), job_id=str(uuid.uuid4()))],
        fingerprint="f",
        scenario_name="n",
        scenario_image="i",
        ttl_seconds_after_finished=60,
    ),
)


def a_request(**changes: Any) -> pb.RunScenarioRequest:
    """A request for one target with just what is required, and these changes."""
    fields = {"target_uuids": ["a"], "scenario_image": "i", "scenario_name": "n"}
    return pb.RunScenarioRequest(**(fields | changes))


def a_file(**changes: Any) -> pb.ScenarioFile:
    """A file that is in order, and these changes."""
    content = base64.b64encode(b"content").decode()
    return pb.ScenarioFile(**({"name": "f", "content": content, "mount_path": "/etc/f"} | changes))


def a_run(**changes: Any) -> Run:
    """The checked run of a request."""
    return validate.run(a_request(**changes), ALL_IMAGES, EVERYWHERE)


def a_target(**spec: Any) -> Target:
    """A registered target."""
    name = str(uuid.uuid4())
    fields = {
        "uuid": name,
        "cluster_name": "c",
        "cluster_api_url": "https://10.0.0.1:6443",
        "secret_type": "token",
        "secret_uuid": str(uuid.uuid4()),
    }
    metadata = ObjectMeta(name=name, namespace="krkn", uid=str(uuid.uuid4()))
    return Target(metadata=metadata, spec=TargetSpec(**(fields | spec)))


def violated(call: Callable[[], object]) -> list[str]:
    """The fields that a request is refused for."""
    with pytest.raises(InvalidRequest) as refused:
        call()
    assert all(violation.description for violation in refused.value.violations)
    return [violation.field for violation in refused.value.violations]
