"""Checks what goes into the scenario's container: environment and files."""

import base64
import binascii
import posixpath
import re

from krkn_grpc.server.findings import Findings
from krkn_grpc.server.runs.run import InputFile
from krkn_grpc.v1 import scenario_runs_pb2 as pb

MOST_ENVIRONMENT_BYTES = 64 * 1024
MOST_FILES = 16
MOST_FILE_BYTES = 256 * 1024
MOST_BYTES_OVER_TARGETS = 64 * 1024 * 1024
_LONGEST_PATH = 4096

RESERVED_NAMES = frozenset({"KUBECONFIG", "KRKN_KUBE_CONFIG"})

# krkn takes the credentials of AWS, Elasticsearch, Prometheus and others from variables with such
# names. docs/security.md lists them for users.
_SECRET_NAME = re.compile(
    r"PASSWORD|PASSWD|PASSPHRASE|_PASS|_PWD|TOKEN|SECRET|CREDENTIAL|BEARER|APIKEY|_KEY|PRIVATE",
    re.IGNORECASE,
)
_VARIABLE = re.compile(r"[-._a-zA-Z][-._a-zA-Z0-9]{0,199}")
_FILE_NAME = re.compile(r"[-._a-zA-Z0-9]{1,253}")
_FORBIDDEN_ROOTS = ("/proc", "/sys", "/dev")
_OWN_MOUNT = "/tmp"  # noqa: S108 - the container's, where the pod has its emptyDir


def environment(
    request: pb.RunScenarioRequest, findings: Findings
) -> tuple[dict[str, str], dict[str, str]]:
    """Return the public and the secret variables; names that look secret are made so."""
    given, secret = dict(request.environment), dict(request.secret_environment)
    for field, variables in (("environment", given), ("secretEnvironment", secret)):
        for name, value in sorted(variables.items()):
            _variable(f"{field}[{name[:200]}]", name, value, findings)
    for name in sorted(given.keys() & secret.keys()):
        findings.expect(False, f"secretEnvironment[{name[:200]}]", "is in environment too")
    size = sum(len(name.encode()) + len(value.encode()) for name, value in (given | secret).items())
    rule = f"must have at most {MOST_ENVIRONMENT_BYTES} bytes in all, with secretEnvironment"
    findings.expect(size <= MOST_ENVIRONMENT_BYTES, "environment", rule)
    looks_secret = {name: value for name, value in given.items() if _SECRET_NAME.search(name)}
    public = {name: value for name, value in given.items() if name not in looks_secret}
    return public, looks_secret | secret


def _variable(field: str, name: str, value: str, findings: Findings) -> None:
    findings.expect(
        # Kubernetes before 1.34 takes no name that could be read as a way up.
        _VARIABLE.fullmatch(name) is not None and name != "." and not name.startswith(".."),
        field,
        "is not a name that a variable can have",
    )
    findings.expect(name not in RESERVED_NAMES, field, "is reserved for this service")
    findings.expect("\0" not in value, field, "has a NUL in its value")


def files(
    request: pb.RunScenarioRequest, kubeconfig_path: str, findings: Findings
) -> tuple[InputFile, ...]:
    """Return the files with their content decoded."""
    _path("kubeconfigPath", kubeconfig_path, findings)
    rule = f"must be at most {MOST_FILES}"
    if not findings.expect(len(request.files) <= MOST_FILES, "files", rule):
        return ()
    taken = {kubeconfig_path: "the kubeconfig's"}
    decoded = []
    for index, file in enumerate(request.files):
        field = f"files[{index}]"
        rule = "must have 1 to 253 letters, digits, '.', '_' and '-'"
        is_name = _FILE_NAME.fullmatch(file.name) is not None and file.name not in (
            ".",
            "..",
        )
        findings.expect(is_name, f"{field}.name", rule)
        if _path(f"{field}.mountPath", file.mount_path, findings):
            _apart(f"{field}.mountPath", file.mount_path, taken, findings)
            taken.setdefault(file.mount_path, f"{field}'s")
        content = _content(file.content)
        findings.expect(content is not None, f"{field}.content", "must be base64")
        decoded.append(InputFile(file.name, content or b"", file.mount_path))
    size = sum(len(file.content) for file in decoded)
    findings.expect(
        size <= MOST_FILE_BYTES,
        "files",
        f"must have at most {MOST_FILE_BYTES} bytes together",
    )
    rule = f"times the number of targets must have at most {MOST_BYTES_OVER_TARGETS} bytes"
    over_targets = size * len(request.target_uuids)
    findings.expect(over_targets <= MOST_BYTES_OVER_TARGETS, "files", rule)
    return tuple(decoded)


def _path(field: str, path: str, findings: Findings) -> bool:
    is_plain = (
        path.startswith("/")
        and not path.startswith("//")
        and len(path) <= _LONGEST_PATH
        and path.isprintable()
        and ":" not in path
        and posixpath.normpath(path) == path
        and path not in ("/", _OWN_MOUNT)
    )
    rule = "must be the whole, plain path of a file: absolute, without '..', '.', '//' and ':'"
    if not findings.expect(is_plain, field, rule):
        return False
    is_apart = not any(path == root or path.startswith(f"{root}/") for root in _FORBIDDEN_ROOTS)
    return findings.expect(is_apart, field, "must not be under /proc, /sys or /dev")


def _apart(field: str, path: str, taken: dict[str, str], findings: Findings) -> None:
    for other, whose in taken.items():
        is_apart = (
            path != other and not path.startswith(f"{other}/") and not other.startswith(f"{path}/")
        )
        findings.expect(is_apart, field, f"is in the way of {whose} path")


def _content(text: str) -> bytes | None:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        return None
