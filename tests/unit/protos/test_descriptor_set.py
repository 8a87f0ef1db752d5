"""What a gateway needs of the API is in one file, and no more."""

import subprocess
import sys
from pathlib import Path

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorSet

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def descriptor_set() -> FileDescriptorSet:
    """The committed descriptor set."""
    return FileDescriptorSet.FromString((ROOT / "envoy" / "krkn_v1.binpb").read_bytes())


def test_it_holds_all_services(descriptor_set: FileDescriptorSet) -> None:
    services = {s.name for file in descriptor_set.file for s in file.service}
    assert services == {
        "TargetService",
        "TargetRequestService",
        "ScenarioService",
        "ScenarioRunService",
        "HaltService",
        "AlertService",
        "AccessService",
        "HealthService",
    }


@pytest.mark.parametrize("name", ["ErrorInfo", "BadRequest", "RetryInfo"])
def test_it_holds_the_details_of_errors(descriptor_set: FileDescriptorSet, name: str) -> None:
    # Without them Envoy answers an error with an empty body.
    details = {
        f"{file.package}.{message.name}"
        for file in descriptor_set.file
        for message in file.message_type
    }
    assert f"google.rpc.{name}" in details


def test_it_imports_nothing_from_outside(descriptor_set: FileDescriptorSet) -> None:
    present = {file.name for file in descriptor_set.file}
    assert {name for file in descriptor_set.file for name in file.dependency} <= present


def test_it_holds_no_comments(descriptor_set: FileDescriptorSet) -> None:
    assert not any(file.HasField("source_code_info") for file in descriptor_set.file)


def test_generated_code_is_fresh() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "proto" / "generate.py"), "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
