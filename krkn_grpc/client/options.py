"""What a run may be told besides the scenario and its targets."""

import base64
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypedDict, TypeVar

from krkn_grpc.client.models import Target
from krkn_grpc.client.statuses import OnBusy
from krkn_grpc.v1 import scenario_runs_pb2 as pb

T = TypeVar("T")


@dataclass(frozen=True)
class File:
    """A file for the scenario's container, kept as a secret; `mount_path` is its whole path."""

    mount_path: str
    content: bytes = field(repr=False)
    name: str = ""

    @classmethod
    def read(cls, path: Path | str, mount_path: str) -> "File":
        """Read a local file; raises OSError."""
        return cls(mount_path, Path(path).read_bytes(), Path(path).name)


@dataclass(frozen=True)
class Registry:
    """The registry to log in to for the image, with a password or a token."""

    url: str
    username: str = ""
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)


class RunOptions(TypedDict, total=False):
    """The options of `Krkn.run` and `Krkn.validate`; what is left out is the service's default.

    The comments of RunScenarioRequest in the protos describe each, with its bounds.
    """

    image: str
    """The scenario's image; left out, the catalogue's."""
    environment: Mapping[str, str]
    secret_environment: Mapping[str, str]
    files: Iterable[File]
    kubeconfig_path: str
    registry: Registry
    timeout_seconds: int
    ttl_seconds_after_finished: int
    labels: Mapping[str, str]
    require_ready: bool
    max_parallel: int
    max_failures: int
    abort_running: bool
    abort_on: Iterable[str]
    queue_seconds: int
    on_busy: OnBusy
    request_id: str
    """A UUID that makes the call repeatable by another process; left out, a new one."""


def run_request(
    scenario: str, targets: Iterable[str | Target], options: RunOptions
) -> pb.RunScenarioRequest:
    """Return the request for these options; it always has a requestId."""
    given = dict(options)
    registry = options.get("registry", Registry(""))
    for name in ("registry", "files"):
        given.pop(name, None)
    fields = {
        **{("scenario_image" if name == "image" else name): each for name, each in given.items()},
        # Also for a blank one, of a variable that is not set: without an id no repeat is safe.
        "request_id": options.get("request_id") or str(uuid.uuid4()),
        "abort_on": several("abort_on", options.get("abort_on") or ()),
    }
    return pb.RunScenarioRequest(
        scenario_name=scenario,
        target_uuids=uuids(targets),
        files=proto_files(options.get("files", ())),
        registry_url=registry.url,
        username=registry.username,
        password=registry.password,
        token=registry.token,
        **fields,  # type: ignore[arg-type]  # the names and types are those of RunOptions
    )


def uuids(targets: Iterable[str | Target]) -> list[str]:
    """Return the uuids of targets, which may be given by them; raises TypeError for one alone."""
    return [each if isinstance(each, str) else each.uuid for each in several("targets", targets)]


def several(name: str, given: Iterable[T]) -> list[T]:
    """Return what is given as a list; raises TypeError for a text: its letters are never meant."""
    if isinstance(given, str):
        raise TypeError(f"{name} is a list: for one write [{given!r}]")
    return list(given)


def proto_files(files: Iterable[File]) -> list[pb.ScenarioFile]:
    """Return the files as a request has them."""
    return [
        pb.ScenarioFile(
            name=each.name or each.mount_path.rsplit("/", 1)[-1],
            content=base64.b64encode(each.content).decode(),
            mount_path=each.mount_path,
        )
        for each in files
    ]
