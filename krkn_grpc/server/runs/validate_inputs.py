"""Validates the inputs of the scenario's container: environment and files."""

import base64
import binascii
import re
import string
from collections.abc import Iterator

from krkn_grpc.resources import environment as variables
from krkn_grpc.resources import mounts
from krkn_grpc.resources.text import can_be_shown
from krkn_grpc.server.errors import Findings
from krkn_grpc.server.runs.model import InputFile
from krkn_grpc.v1 import scenario_runs_pb2 as pb

MOST_ENVIRONMENT_BYTES = 64 * 1024
MOST_FILES = 16
MOST_FILE_BYTES = 256 * 1024
MOST_BYTES_OVER_TARGETS = 64 * 1024 * 1024
_LONGEST_FILE_NAME = 253

_VARIABLE = re.compile(r"[-._a-zA-Z][-._a-zA-Z0-9]{0,199}")


_PATH_VARIABLE = "KRKN_KUBE_CONFIG"


def environment(
    request: pb.RunScenarioRequest,
    kubeconfig_path: str,
    secret_names: frozenset[str],
    findings: Findings,
) -> tuple[dict[str, str], dict[str, str]]:
    """Return the public and the secret variables.

    Those of `secret_names` and those whose names look secret become secret. The variable of the
    kubeconfig's path is dropped where it says nothing else than `kubeconfig_path`: consoles send it
    with the defaults of all parameters.
    """
    rule = f"must have at most {MOST_ENVIRONMENT_BYTES} bytes in all, with secretEnvironment"
    if not findings.expect(_fits(request), "environment", rule):
        return {}, {}
    given, secret = dict(request.environment), dict(request.secret_environment)
    if given.get(_PATH_VARIABLE) == kubeconfig_path:
        del given[_PATH_VARIABLE]
    for field, entries in (("environment", given), ("secretEnvironment", secret)):
        for name, value in sorted(entries.items()):
            for wrong in _wrong_in(name, value):
                findings.expect(False, f"{field}[{name[:200]}]", wrong)
    for name in sorted(given.keys() & secret.keys()):
        findings.expect(False, f"secretEnvironment[{name[:200]}]", "is in environment too")
    found = {
        name: value
        for name, value in given.items()
        if name in secret_names or variables.looks_secret(name)
    }
    public = {name: value for name, value in given.items() if name not in found}
    return public, found | secret


def _fits(request: pb.RunScenarioRequest) -> bool:
    """Whether all variables together are within the limit; stops at the first one beyond it."""
    left = MOST_ENVIRONMENT_BYTES
    for entries in (request.environment, request.secret_environment):
        for name, value in entries.items():
            left -= len(name.encode()) + len(value.encode())
            if left < 0:
                return False
    return True


def _wrong_in(name: str, value: str) -> Iterator[str]:
    # Kubernetes before 1.34 refuses names that look like a path to a parent folder.
    if _VARIABLE.fullmatch(name) is None or name == "." or name.startswith(".."):
        yield "is not a name that a variable can have"
    if name in variables.RESERVED:
        yield "is reserved for this service"
    if variables.loads_code(name):
        yield "may not be set: by it a program of the image loads code or another configuration"
    if "\0" in value:
        yield "has a NUL in its value"


def files(
    request: pb.RunScenarioRequest,
    kubeconfig_path: str,
    allowed_paths: tuple[str, ...],
    findings: Findings,
) -> tuple[InputFile, ...]:
    """Return the files with their content decoded."""
    if _path("kubeconfigPath", kubeconfig_path, findings):
        is_allowed = mounts.is_allowed_for_kubeconfig(kubeconfig_path, allowed_paths)
        findings.expect(is_allowed, "kubeconfigPath", _elsewhere(allowed_paths))
    rule = f"must be at most {MOST_FILES}"
    if not findings.expect(len(request.files) <= MOST_FILES, "files", rule):
        return ()
    # Checked before decoding: base64 takes a third more, and may have line breaks.
    sent = sum(len(file.content) for file in request.files)
    rule = f"must have at most {MOST_FILE_BYTES} bytes together"
    if not findings.expect(sent <= 2 * MOST_FILE_BYTES, "files", rule):
        return ()
    taken = {kubeconfig_path: "the kubeconfig's"}
    decoded = []
    for index, file in enumerate(request.files):
        field = f"files[{index}]"
        rule = f"must have 1 to {_LONGEST_FILE_NAME} characters, none of them a control character"
        is_name = 1 <= len(file.name) <= _LONGEST_FILE_NAME and can_be_shown(file.name)
        findings.expect(is_name, f"{field}.name", rule)
        if _path(f"{field}.mountPath", file.mount_path, findings):
            is_allowed = mounts.is_allowed(file.mount_path, allowed_paths)
            findings.expect(is_allowed, f"{field}.mountPath", _elsewhere(allowed_paths))
            _apart(f"{field}.mountPath", file.mount_path, taken, findings)
            taken.setdefault(file.mount_path, f"{field}'s")
        content = _content(file.content)
        findings.expect(content is not None, f"{field}.content", "must be base64")
        decoded.append(InputFile(file.name, content or b"", file.mount_path))
    size = sum(len(file.content) for file in decoded)
    rule = f"must have at most {MOST_FILE_BYTES} bytes together"
    findings.expect(size <= MOST_FILE_BYTES, "files", rule)
    rule = f"times the number of targets must have at most {MOST_BYTES_OVER_TARGETS} bytes"
    over_targets = size * len(request.target_uuids)
    findings.expect(over_targets <= MOST_BYTES_OVER_TARGETS, "files", rule)
    return tuple(decoded)


def _path(field: str, path: str, findings: Findings) -> bool:
    rule = (
        "must be the whole, plain path of a file: absolute, without '..', '.', '//', ':' "
        "and control characters"
    )
    if not findings.expect(mounts.is_plain(path), field, rule):
        return False
    is_apart = not mounts.is_of_the_kernel(path)
    return findings.expect(is_apart, field, "must not be under /proc, /sys or /dev")


def _elsewhere(allowed_paths: tuple[str, ...]) -> str:
    return (
        f"is not where this service lets files be placed: {', '.join(allowed_paths) or 'nowhere'}"
    )


def _apart(field: str, path: str, taken: dict[str, str], findings: Findings) -> None:
    for other, whose in taken.items():
        is_apart = (
            path != other and not path.startswith(f"{other}/") and not other.startswith(f"{path}/")
        )
        findings.expect(is_apart, field, f"is in the way of {whose} path")


def _content(text: str) -> bytes | None:
    try:
        without_space = text.encode("ascii").translate(None, string.whitespace.encode())
        return base64.b64decode(without_space, validate=True)
    except (binascii.Error, ValueError):
        return None
