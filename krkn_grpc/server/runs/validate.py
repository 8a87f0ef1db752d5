"""Validates a RunScenario request without any lookup; returns a Run.

Not protovalidate: it needs another protobuf runtime. One table holds the bounds of this module,
proto, OpenAPI and resource definition against each other (tests/unit/protos/test_bounds.py).
"""

import re
from typing import get_args

from krkn_grpc.catalogue.model import Catalogue
from krkn_grpc.kube.logs import LogOptions
from krkn_grpc.resources import alert_matchers, ids, images
from krkn_grpc.resources.chaos_job import (
    DEFAULT_KUBECONFIG_PATH,
    DEFAULT_QUEUE_SECONDS,
    DEFAULT_TIMEOUT_SECONDS,
    MOST_QUEUE_SECONDS,
    OnBusy,
)
from krkn_grpc.resources.text import can_be_shown, has_control_characters, trimmed
from krkn_grpc.server.errors import Findings
from krkn_grpc.server.labels import check_labels
from krkn_grpc.server.runs import validate_inputs
from krkn_grpc.server.runs.known_scenario import CheckMode, KnownScenario
from krkn_grpc.server.runs.model import RegistryLogin, Run
from krkn_grpc.v1 import scenario_runs_pb2 as pb

MOST_TARGETS = 1_000
MOST_ABORT_CONDITIONS = 16
NO_CATALOGUE = Catalogue()
_LONGEST_IMAGE = 512
_LONGEST_NAME = 253
_LONGEST_TIMEOUT = 86_400
_LONGEST_REGISTRY = 2_048
_LONGEST_CREDENTIAL = 8_192  # a cloud's JSON key or token has about a third of it
_DEFAULT_REGISTRY_USER = "oauth2"
# A host as in an image reference, with an optional scheme before it and path after it.
_REGISTRY = re.compile(
    r"(?i:https?://)?([A-Za-z0-9]([-.A-Za-z0-9]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?"
    r"(/[-._~%/A-Za-z0-9]*)?"
)


def run(
    request: pb.RunScenarioRequest,
    allowed_images: tuple[str, ...],
    allowed_paths: tuple[str, ...],
    catalogue: Catalogue = NO_CATALOGUE,
    mode: CheckMode = "off",
) -> Run:
    """Return the checked run; raises InvalidRequest with every violation found.

    `mode` says whether its inputs are checked against the catalogue's scenario of its name.
    """
    findings = Findings()
    target_uuids = _targets(request, findings)
    known = KnownScenario.of(request, catalogue, mode)
    image = known.image(request.scenario_image)
    _scenario(
        image, request.scenario_name, "" if image else known.why_no_image, allowed_images, findings
    )
    kubeconfig_path = known.kubeconfig_path(request.kubeconfig_path)
    environment, secret_environment = validate_inputs.environment(
        request, kubeconfig_path, known.secret_variables, findings
    )
    files = validate_inputs.files(request, kubeconfig_path, allowed_paths, findings)
    kept = environment.keys() | secret_environment.keys()
    warning = known.check(
        image,
        {name: value for name, value in request.environment.items() if name in kept},
        request.secret_environment,
        files,
        findings,
    )
    registry = _registry(request, findings)
    _limits(request, findings)
    _safety(request, findings)
    check_labels(request.labels, findings)
    findings.settle()
    return Run(
        target_uuids=target_uuids,
        scenario_image=image,
        scenario_name=request.scenario_name,
        kubeconfig_path=kubeconfig_path,
        environment=environment,
        secret_environment=secret_environment,
        files=files,
        registry_url=request.registry_url,
        registry=registry,
        request_id=ids.canonical(request.request_id) or "",
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
        asked_image=request.scenario_image,
        asked_path=request.kubeconfig_path or DEFAULT_KUBECONFIG_PATH,
        queue_seconds=(
            request.queue_seconds if request.HasField("queue_seconds") else DEFAULT_QUEUE_SECONDS
        ),
        on_busy="Refuse" if request.on_busy == "Refuse" else "Wait",
        max_parallel=request.max_parallel,
        max_failures=request.max_failures if request.HasField("max_failures") else None,
        abort_running=request.abort_running,
        abort_on=tuple(request.abort_on),
        warning=warning,
    )


def log_options(request: pb.StreamLogsRequest) -> LogOptions:
    """Return the options of a log request; raises InvalidRequest."""
    findings = Findings()
    tail_lines = request.tail_lines if request.HasField("tail_lines") else None
    findings.expect(tail_lines is None or tail_lines >= 0, "tailLines", "must be 0 or more")
    findings.settle()
    return LogOptions(request.follow, tail_lines, request.timestamps)


def _targets(request: pb.RunScenarioRequest, findings: Findings) -> tuple[str, ...]:
    field, count = "targetUUIDs", len(request.target_uuids)
    findings.expect(count > 0, field, "is required: name at least one target")
    rule = f"must name at most {MOST_TARGETS} targets"
    if not findings.expect(count <= MOST_TARGETS, field, rule):
        return ()
    uuids = tuple(request.target_uuids)
    first_at: dict[str, int] = {}
    for index, target in enumerate(uuids):
        if findings.expect(bool(target), f"{field}[{index}]", "must not be empty"):
            first = first_at.setdefault(target, index)
            findings.expect(first == index, f"{field}[{index}]", f"is the same as {field}[{first}]")
    return uuids


def _scenario(
    image: str, name: str, no_image: str, allowed: tuple[str, ...], findings: Findings
) -> None:
    if findings.expect(bool(image), "scenarioImage", no_image):
        in_order = len(image) <= _LONGEST_IMAGE and images.is_reference(image)
        rule = (
            f"must be an image reference of at most {_LONGEST_IMAGE} characters: "
            "[registry/]repository[:tag][@digest], the repository in small letters"
        )
        if findings.expect(in_order, "scenarioImage", rule):
            rule = "is not among the images that this service may run"
            findings.expect(images.is_allowed(image, allowed), "scenarioImage", rule)
    if findings.expect(bool(trimmed(name)), "scenarioName", "is required"):
        in_order = len(name) <= _LONGEST_NAME and can_be_shown(name)
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
        rule = "must have no line break at its ends: what a command prints has one"
        findings.expect(value.strip("\r\n") == value, field, rule)
    # A cloud's key in JSON is a password with line breaks in it.
    for field, value, allowed in (("username", username, ""), (source, password, "\t\r\n")):
        is_plain = not has_control_characters(value.strip("\r\n"), allowed)
        findings.expect(is_plain, field, "must have no control characters")
    return RegistryLogin(url, username or _DEFAULT_REGISTRY_USER, password)


def _limits(request: pb.RunScenarioRequest, findings: Findings) -> None:
    if request.request_id:
        is_uuid = ids.canonical(request.request_id) is not None
        findings.expect(is_uuid, "requestId", "must be a UUID")
    if request.HasField("timeout_seconds"):
        in_bounds = 1 <= request.timeout_seconds <= _LONGEST_TIMEOUT
        findings.expect(in_bounds, "timeoutSeconds", f"must be 1 to {_LONGEST_TIMEOUT}")
    if request.HasField("queue_seconds"):
        in_bounds = 0 <= request.queue_seconds <= MOST_QUEUE_SECONDS
        findings.expect(in_bounds, "queueSeconds", f"must be 0 to {MOST_QUEUE_SECONDS}")
    known = request.on_busy in ("", *get_args(OnBusy))
    findings.expect(known, "onBusy", f"must be one of {', '.join(get_args(OnBusy))}")
    if request.HasField("ttl_seconds_after_finished"):
        in_bounds = request.ttl_seconds_after_finished >= 0
        findings.expect(in_bounds, "ttlSecondsAfterFinished", "must be 0 or more")


def _safety(request: pb.RunScenarioRequest, findings: Findings) -> None:
    findings.expect(request.max_parallel >= 0, "maxParallel", "must be 0 or more")
    if request.HasField("max_failures"):
        findings.expect(request.max_failures >= 0, "maxFailures", "must be 0 or more")
    rule = f"must have at most {MOST_ABORT_CONDITIONS} entries"
    if findings.expect(len(request.abort_on) <= MOST_ABORT_CONDITIONS, "abortOn", rule):
        for index, condition in enumerate(request.abort_on):
            in_bounds = 1 <= len(condition) <= alert_matchers.LONGEST_CONDITION
            rule = f"must have 1 to {alert_matchers.LONGEST_CONDITION} characters"
            if findings.expect(in_bounds, f"abortOn[{index}]", rule):
                fault = alert_matchers.fault(condition)
                findings.expect(not fault, f"abortOn[{index}]", fault)


def _ignored(request: pb.RunScenarioRequest) -> dict[str, str]:
    given = {
        "scenarioRepository": request.scenario_repository,
        "skipTls": "true" if request.skip_tls else "",
        "insecure": "true" if request.insecure else "",
    }
    return {name: value for name, value in given.items() if value}
