"""Checks a RunScenario request without looking anything up; what passes is a Run."""

import re
import uuid

from krkn_grpc.kube.logs import LogOptions
from krkn_grpc.resources import images, labels
from krkn_grpc.resources.chaos_job import (
    DEFAULT_KUBECONFIG_PATH,
    DEFAULT_TIMEOUT_SECONDS,
)
from krkn_grpc.resources.meta import GROUP
from krkn_grpc.server.findings import Findings
from krkn_grpc.server.runs import inputs
from krkn_grpc.server.runs.run import RegistryLogin, Run
from krkn_grpc.v1 import scenario_runs_pb2 as pb

MOST_TARGETS = 1_000
_LONGEST_IMAGE = 512
_LONGEST_NAME = 253
_LONGEST_TIMEOUT = 86_400
_MOST_LABELS = 64
_LONGEST_REGISTRY = 2_048
_LONGEST_CREDENTIAL = 8_192  # a cloud's JSON key or token has about a third of it
_DEFAULT_REGISTRY_USER = "oauth2"

_LABEL_VALUE = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")
_LABEL_NAME = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
_LABEL_PREFIX = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")

# A host as an image reference may have it, with a scheme before it and a path after it.
_REGISTRY = re.compile(
    r"(?i:https?://)?([A-Za-z0-9]([-.A-Za-z0-9]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?"
    r"(/[-._~%/A-Za-z0-9]*)?"
)


def run(request: pb.RunScenarioRequest, allowed_images: tuple[str, ...]) -> Run:
    """Return the checked run; raises InvalidRequest with every violation found."""
    findings = Findings()
    target_uuids = _targets(request, findings)
    _scenario(request, allowed_images, findings)
    kubeconfig_path = request.kubeconfig_path or DEFAULT_KUBECONFIG_PATH
    environment, secret_environment = inputs.environment(request, findings)
    files = inputs.files(request, kubeconfig_path, findings)
    registry = _registry(request, findings)
    _limits(request, findings)
    _labels(request, findings)
    findings.settle()
    return Run(
        target_uuids=target_uuids,
        scenario_image=request.scenario_image,
        scenario_name=request.scenario_name,
        kubeconfig_path=kubeconfig_path,
        environment=environment,
        secret_environment=secret_environment,
        files=files,
        registry_url=request.registry_url,
        registry=registry,
        request_id=request.request_id and str(uuid.UUID(request.request_id)),
        validate_only=request.validate_only,
        require_ready=request.require_ready,
        timeout_seconds=(
            request.timeout_seconds
            if request.HasField("timeout_seconds")
            else DEFAULT_TIMEOUT_SECONDS
        ),
        ttl_seconds_after_finished=(
            request.ttl_seconds_after_finished
            if request.HasField("ttl_seconds_after_finished")
            else None
        ),
        labels=dict(request.labels),
        ignored=_ignored(request),
    )


def log_options(request: pb.StreamLogsRequest) -> LogOptions:
    """Return which part of a log is wanted; raises InvalidRequest."""
    findings = Findings()
    tail_lines = request.tail_lines if request.HasField("tail_lines") else None
    findings.expect(tail_lines is None or tail_lines >= 0, "tailLines", "must be 0 or more")
    findings.settle()
    return LogOptions(request.follow, tail_lines, request.timestamps)


def _targets(request: pb.RunScenarioRequest, findings: Findings) -> tuple[str, ...]:
    uuids = tuple(request.target_uuids)
    field = "targetUUIDs"
    if not findings.expect(bool(uuids), field, "is required: name at least one target"):
        return uuids
    findings.expect(len(uuids) <= MOST_TARGETS, field, f"must name at most {MOST_TARGETS} targets")
    first_at: dict[str, int] = {}
    for index, target in enumerate(uuids):
        if findings.expect(bool(target), f"{field}[{index}]", "must not be empty"):
            first = first_at.setdefault(target, index)
            findings.expect(first == index, f"{field}[{index}]", f"is the same as {field}[{first}]")
    return uuids


def _scenario(request: pb.RunScenarioRequest, allowed: tuple[str, ...], findings: Findings) -> None:
    image, name = request.scenario_image, request.scenario_name
    if findings.expect(bool(image), "scenarioImage", "is required"):
        in_order = len(image) <= _LONGEST_IMAGE and image.isprintable() and " " not in image
        rule = f"must be an image reference of at most {_LONGEST_IMAGE} characters"
        if findings.expect(in_order, "scenarioImage", rule):
            rule = "is not among the images that this service may run"
            findings.expect(images.is_allowed(image, allowed), "scenarioImage", rule)
    if findings.expect(bool(name.strip()), "scenarioName", "is required"):
        in_order = len(name) <= _LONGEST_NAME and name.isprintable()
        rule = f"must have at most {_LONGEST_NAME} characters, none of them a control character"
        findings.expect(in_order, "scenarioName", rule)


def _registry(request: pb.RunScenarioRequest, findings: Findings) -> RegistryLogin | None:
    url, username = request.registry_url, request.username
    password, source = request.token or request.password, "token" if request.token else "password"
    is_address = len(url) <= _LONGEST_REGISTRY and _REGISTRY.fullmatch(url) is not None
    rule = "must be a registry's address, without user or password"
    findings.expect(is_address or not url, "registryUrl", rule)
    if not password and not username:
        return None
    findings.expect(bool(url), "registryUrl", "is required with registry credentials")
    findings.expect(bool(password), "password", "is required with username, unless token is given")
    findings.expect(
        bool(username or request.token),
        "username",
        "is required with password, unless token is given",
    )
    findings.expect(":" not in username, "username", "must not contain a colon")
    for field, value in (("username", username), (source, password)):
        rule = f"must have at most {_LONGEST_CREDENTIAL} characters"
        findings.expect(len(value) <= _LONGEST_CREDENTIAL, field, rule)
    return RegistryLogin(url, username or _DEFAULT_REGISTRY_USER, password)


def _limits(request: pb.RunScenarioRequest, findings: Findings) -> None:
    if request.request_id:
        findings.expect(_is_uuid(request.request_id), "requestId", "must be a UUID")
    if request.HasField("timeout_seconds"):
        in_bounds = 1 <= request.timeout_seconds <= _LONGEST_TIMEOUT
        findings.expect(in_bounds, "timeoutSeconds", f"must be 1 to {_LONGEST_TIMEOUT}")
    if request.HasField("ttl_seconds_after_finished"):
        in_bounds = request.ttl_seconds_after_finished >= 0
        findings.expect(in_bounds, "ttlSecondsAfterFinished", "must be 0 or more")


def _labels(request: pb.RunScenarioRequest, findings: Findings) -> None:
    rule = f"must be at most {_MOST_LABELS}"
    findings.expect(len(request.labels) <= _MOST_LABELS, "labels", rule)
    for key, value in sorted(request.labels.items()):
        field = f"labels[{key[:_LONGEST_NAME]}]"
        prefix, slash, name = key.rpartition("/")
        is_key = _LABEL_NAME.fullmatch(name) is not None and (
            not slash or (len(prefix) <= _LONGEST_NAME and _LABEL_PREFIX.fullmatch(prefix))
        )
        findings.expect(bool(is_key), field, "is not a label key that Kubernetes allows")
        findings.expect(
            key not in labels.RESERVED and prefix != GROUP,
            field,
            "is reserved for this service",
        )
        is_value = _LABEL_VALUE.fullmatch(value) is not None
        findings.expect(is_value, field, "has a value that Kubernetes does not allow")


def _ignored(request: pb.RunScenarioRequest) -> dict[str, str]:
    given = {
        "scenarioRepository": request.scenario_repository,
        "skipTls": "true" if request.skip_tls else "",
        "insecure": "true" if request.insecure else "",
    }
    return {name: value for name, value in given.items() if value}


def _is_uuid(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text.lower()
    except ValueError:
        return False
