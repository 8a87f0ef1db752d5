"""Validates a registration without any lookup; returns a typed value."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol, cast, get_args

from krkn_grpc.resources import kubeconfig as kubeconfigs
from krkn_grpc.resources.addresses import AddressRules
from krkn_grpc.resources.kubeconfig import Kubeconfig, KubeconfigError, KubeconfigRules
from krkn_grpc.resources.target import SecretType
from krkn_grpc.resources.text import can_be_shown, trimmed
from krkn_grpc.resources.violation import Violation
from krkn_grpc.server.errors import Findings
from krkn_grpc.server.labels import check_labels, check_removals
from krkn_grpc.v1 import targets_pb2 as pb

_LONGEST_NAME = 253
MOST_CONCURRENT_JOBS = 10_000
_TOO_LARGE = (
    "The kubeconfig that is stored, with certificates in base64 and the credential, "
    f"must have at most {kubeconfigs.MAX_BYTES // 1024} KiB."
)
_SECRET_TYPES: tuple[SecretType, ...] = get_args(SecretType)


class Registration(Protocol):
    """The fields that CreateTargetRequest and UpdateTargetRequest share."""

    cluster_name: str
    secret_type: str
    cluster_api_url: str
    ca_bundle: str
    kubeconfig: str
    token: str
    username: str
    password: str
    max_concurrent_jobs: int

    def HasField(self, field_name: Literal["max_concurrent_jobs"], /) -> bool:  # noqa: N802
        """Whether the request has an optional field."""

    @property
    def labels(self) -> Mapping[str, str]:
        """The labels to set."""


@dataclass(frozen=True)
class NewTarget:
    """A valid registration: the target's fields, and the credential for its Secret."""

    cluster_name: str
    secret_type: SecretType
    ca_bundle: str
    kubeconfig: Kubeconfig
    labels: Mapping[str, str]
    max_concurrent_jobs: int | None


@dataclass(frozen=True)
class TargetPatch:
    """A valid change: labels to set and to remove, the new name and limit, None for the present."""

    labels: Mapping[str, str]
    removed: frozenset[str]
    cluster_name: str | None = None
    max_concurrent_jobs: int | None = None

    @property
    def changes_spec(self) -> bool:
        """Whether more than labels is to change."""
        return self.cluster_name is not None or self.max_concurrent_jobs is not None


def registration(request: Registration, rules: AddressRules) -> NewTarget:
    """Return the checked registration; raises InvalidRequest with every violation found."""
    findings = Findings()
    name = _name(request.cluster_name, findings)
    check_labels(request.labels, findings)
    most = _limit(request, findings)
    kubeconfig: Kubeconfig | None = None
    kinds = f"must be one of {', '.join(_SECRET_TYPES)}"
    if findings.expect(request.secret_type in _SECRET_TYPES, "secretType", kinds):
        rule = f"is required when secretType is {request.secret_type}"
        given = [findings.expect(bool(value), field, rule) for field, value in _required(request)]
        if all(given):
            try:
                kubeconfig = _kubeconfig(request, rules)
            except KubeconfigError as error:
                for violation in error.violations:
                    findings.expect(False, *violation)
    findings.settle()
    assert kubeconfig is not None, "without a kubeconfig there is a violation"
    is_kubeconfig = request.secret_type == "kubeconfig"
    return NewTarget(
        cluster_name=name,
        secret_type=cast(SecretType, request.secret_type),
        ca_bundle="" if is_kubeconfig else _public_ca(kubeconfig),
        kubeconfig=kubeconfig,
        labels=dict(request.labels),
        max_concurrent_jobs=most,
    )


def patch(request: pb.PatchTargetRequest) -> TargetPatch:
    """Return the checked change; raises InvalidRequest with every violation found."""
    findings = Findings()
    is_renamed = request.HasField("cluster_name")
    name = _name(request.cluster_name, findings) if is_renamed else None
    check_labels(request.labels, findings)
    check_removals(request.remove_labels, request.labels, findings)
    most = _limit(request, findings)
    findings.settle()
    return TargetPatch(dict(request.labels), frozenset(request.remove_labels), name, most)


def _limit(request: Registration | pb.PatchTargetRequest, findings: Findings) -> int | None:
    if not request.HasField("max_concurrent_jobs"):
        return None
    most = request.max_concurrent_jobs
    rule = f"must be 0 to {MOST_CONCURRENT_JOBS}"
    findings.expect(0 <= most <= MOST_CONCURRENT_JOBS, "maxConcurrentJobs", rule)
    return most


def _name(given: str, findings: Findings) -> str:
    name, field = trimmed(given), "clusterName"
    rule = f"must have 1 to {_LONGEST_NAME} characters"
    if findings.expect(1 <= len(name) <= _LONGEST_NAME, field, rule):
        findings.expect(can_be_shown(name), field, "must have no control characters")
    return name


def _public_ca(kubeconfig: Kubeconfig) -> str:
    """Return the certificates in base64, without other text from the CA bundle."""
    return base64.b64encode((kubeconfig.certificate_authority or "").encode()).decode()


def _required(request: Registration) -> list[tuple[str, str]]:
    match request.secret_type:
        case "kubeconfig":
            return [("kubeconfig", request.kubeconfig)]
        case "token":
            return [
                ("clusterAPIURL", request.cluster_api_url),
                ("token", request.token),
            ]
        case _:
            return [
                ("clusterAPIURL", request.cluster_api_url),
                ("username", request.username),
                ("password", request.password),
            ]


def _kubeconfig(request: Registration, rules: AddressRules) -> Kubeconfig:
    url, ca_bundle = trimmed(request.cluster_api_url), request.ca_bundle
    match request.secret_type:
        case "kubeconfig":
            kubeconfig = kubeconfigs.read(
                kubeconfigs.decode_submitted(request.kubeconfig),
                KubeconfigRules(rules.allow_proxy_url),
            )
            field = large = "kubeconfig"
        case "token":
            kubeconfig = kubeconfigs.from_token(url, request.token, ca_bundle)
            field, large = "clusterAPIURL", "caBundle"
        case _:
            kubeconfig = kubeconfigs.from_credentials(
                url, request.username, request.password, ca_bundle
            )
            field, large = "clusterAPIURL", "caBundle"
    violations = []
    # Only literal addresses are checked here: the controller resolves names when it connects.
    if (refusal := rules.check_literal(kubeconfig.endpoint.host)) is not None:
        violations.append(Violation(field, refusal))
    # The controller reads it again. The target's copy of the CA is a part of it, so it fits too.
    if not kubeconfigs.can_be_read(kubeconfig):
        violations.append(Violation(large, _TOO_LARGE))
    if violations:
        raise KubeconfigError(violations)
    return kubeconfig
