"""What the tests of the protos look at: the descriptors that the service itself serves."""

import importlib.util
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from google.protobuf.descriptor import Descriptor, FileDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet

from krkn_grpc.v1 import (
    access_pb2,
    alerts_pb2,
    halts_pb2,
    health_pb2,
    runs_pb2,
    scenario_runs_pb2,
    scenarios_pb2,
    target_requests_pb2,
    targets_pb2,
    watch_pb2,
)

ROOT = Path(__file__).resolve().parents[3]
FILES: tuple[FileDescriptor, ...] = (
    access_pb2.DESCRIPTOR,
    alerts_pb2.DESCRIPTOR,
    halts_pb2.DESCRIPTOR,
    health_pb2.DESCRIPTOR,
    runs_pb2.DESCRIPTOR,
    scenario_runs_pb2.DESCRIPTOR,
    scenarios_pb2.DESCRIPTOR,
    targets_pb2.DESCRIPTOR,
    target_requests_pb2.DESCRIPTOR,
    watch_pb2.DESCRIPTOR,
)


def _reachable(message: Descriptor, inside: tuple[str, ...] = ()) -> Iterator[Descriptor]:
    """A message and all that can be inside it; of ours none holds itself, a JSON value does."""
    yield message
    inside = (*inside, message.full_name)
    for field in message.fields:
        if field.message_type is not None and field.message_type.full_name not in inside:
            yield from _reachable(field.message_type, inside)


@pytest.fixture(scope="session")
def files() -> tuple[FileDescriptor, ...]:
    """The files of the API."""
    return FILES


@pytest.fixture(scope="session")
def messages() -> dict[str, Descriptor]:
    """Every message of the API by its name."""
    return {name: m for file in FILES for name, m in file.message_types_by_name.items()}


@pytest.fixture(scope="session")
def reply_messages() -> dict[str, Descriptor]:
    """Every message that can be in a reply, by its full name."""
    methods = [m for f in FILES for s in f.services_by_name.values() for m in s.methods]
    return {r.full_name: r for m in methods for r in _reachable(m.output_type)}


@pytest.fixture(scope="session")
def sources(tmp_path_factory: pytest.TempPathFactory) -> list[FileDescriptorProto]:
    """The protos as written, with their comments."""
    image = tmp_path_factory.mktemp("protos") / "image.binpb"
    google = importlib.util.find_spec("google.api")
    assert google is not None
    assert google.submodule_search_locations is not None
    subprocess.run(
        [
            sys.executable,
            *("-m", "grpc_tools.protoc", "--include_source_info"),
            f"--proto_path={ROOT / 'proto'}",
            f"--proto_path={Path(google.submodule_search_locations[0]).parent.parent}",
            f"--descriptor_set_out={image}",
            *sorted(str(path) for path in (ROOT / "proto").rglob("*.proto")),
        ],
        check=True,
        capture_output=True,
    )
    return list(FileDescriptorSet.FromString(image.read_bytes()).file)
