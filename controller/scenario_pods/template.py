"""The administrator's part of every scenario pod: a template in Kubernetes' own form. Pure.

    metadata:
      labels: {cost-center: "42"}
      annotations: {}
    spec:
      nodeSelector: {}
      tolerations: []
      topologySpreadConstraints: []
      priorityClassName: ""
      runtimeClassName: ""
      imagePullSecrets: []
      containers:
        - name: scenario
          resources: {requests: {}, limits: {}}

There is no other field: a template says where a pod runs and how much it may use, never what it
runs or with which privileges.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import msgspec
import yaml

from krkn_grpc.resources import label_grammar, quantities, well_known
from krkn_grpc.resources.meta import GROUP, Struct
from krkn_grpc.resources.scheduling import (
    ResourceRequirements,
    Toleration,
    TopologySpreadConstraint,
)

# A quota on limits refuses a pod that has none of the resource, so every one has a default. Kept
# small: a hundred jobs may start at once.
_REQUESTS = {"cpu": "100m", "memory": "256Mi", "ephemeral-storage": "128Mi"}
_LIMITS = {"cpu": "1", "memory": "1Gi", "ephemeral-storage": "1Gi"}

# The domains of keys by which others decide about a pod's privileges, its proxies or its owner.
_OURS = (GROUP, "app.kubernetes.io", "sidecar.istio.io", "linkerd.io")
_PRIVILEGES = ("security.alpha.kubernetes.io", "security.beta.kubernetes.io")
_OUR_KEYS = frozenset({well_known.APP, "istio.io/dataplane-mode", "istio.io/rev"})
_OUR_PREFIX = "krkn-"
_UNKNOWN = re.compile(
    r"Object contains unknown field `(?P<name>[^`]*)`(?: - at `\$\.?(?P<path>.*)`)?"
)
_WRONG = re.compile(r"(?P<what>.*) - at `\$\.?(?P<path>.*)`", re.DOTALL)


@dataclass(frozen=True)
class PodTemplate:
    """What an administrator adds to each scenario pod; by default only resources.

    `pull_secrets` are names of Secrets in the namespace.
    """

    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    node_selector: Mapping[str, str] = field(default_factory=dict)
    tolerations: tuple[Toleration, ...] = ()
    spread: tuple[TopologySpreadConstraint, ...] = ()
    priority_class: str = ""
    runtime_class: str = ""
    pull_secrets: tuple[str, ...] = ()
    resources: ResourceRequirements = field(
        default_factory=lambda: ResourceRequirements(requests=_REQUESTS, limits=_LIMITS)
    )


class _Metadata(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}


class _Reference(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: str


class _Resources(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    requests: dict[str, str | int | float | None] = {}
    limits: dict[str, str | int | float | None] = {}


class _Container(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: Literal["scenario"]
    resources: _Resources = _Resources()


class _Spec(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    node_selector: dict[str, str] = {}
    tolerations: list[Toleration] = []
    topology_spread_constraints: list[TopologySpreadConstraint] = []
    priority_class_name: str = ""
    runtime_class_name: str = ""
    image_pull_secrets: list[_Reference] = []
    containers: list[_Container] = []


class _Template(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    metadata: _Metadata = _Metadata()
    spec: _Spec = _Spec()


def read(text: str) -> PodTemplate:
    """Return the template of a text in YAML or JSON; without text, the default.

    Resources are merged with the defaults by name; `null` removes one. Raises ValueError, with the
    path of the field, for what a template may not have or Kubernetes would refuse.
    """
    if not text.strip():
        return PodTemplate()
    try:
        given = msgspec.convert(yaml.safe_load(text), _Template)
    except yaml.YAMLError as error:
        raise ValueError(f"it is not YAML: {' '.join(str(error).split())}") from None
    except msgspec.ValidationError as error:
        raise ValueError(_told(str(error))) from None
    _check_keys("metadata.labels", given.metadata.labels)
    _check_keys("metadata.annotations", given.metadata.annotations)
    for where, labels in (
        ("metadata.labels", given.metadata.labels),
        ("spec.nodeSelector", given.spec.node_selector),
    ):
        for key, value in labels.items():
            if not label_grammar.is_key(key) or not label_grammar.is_value(value):
                raise ValueError(f"{where}: {key}: {value} is not a label")
    pull_secrets = tuple(each.name for each in given.spec.image_pull_secrets)
    _check_names("spec.imagePullSecrets", pull_secrets)
    _check_names("spec.priorityClassName", filter(None, [given.spec.priority_class_name]))
    _check_names("spec.runtimeClassName", filter(None, [given.spec.runtime_class_name]))
    return PodTemplate(
        labels=given.metadata.labels,
        annotations=given.metadata.annotations,
        node_selector=given.spec.node_selector,
        tolerations=tuple(given.spec.tolerations),
        spread=tuple(given.spec.topology_spread_constraints),
        priority_class=given.spec.priority_class_name,
        runtime_class=given.spec.runtime_class_name,
        pull_secrets=pull_secrets,
        resources=_resources(given.spec.containers),
    )


def _told(message: str) -> str:
    if unknown := _UNKNOWN.fullmatch(message):
        path = ".".join(filter(None, [unknown["path"], unknown["name"]]))
        return f"{path} is not a field that a template may set (docs/scenario-pods.md lists them)"
    if wrong := _WRONG.fullmatch(message):
        return f"{wrong['path']}: {wrong['what']}"
    return f"the template: {message}"


def _check_keys(where: str, given: Mapping[str, str]) -> None:
    for key in given:
        domain, slash, _ = key.rpartition("/")
        is_ours = key in _OUR_KEYS or key.startswith(_OUR_PREFIX)
        if is_ours or (slash and _is_in(domain, (*_OURS, *_PRIVILEGES))):
            raise ValueError(f"{where}: {key} is not for a template to set")
        if not label_grammar.is_key(key):
            raise ValueError(f"{where}: {key} is not a key")


def _is_in(domain: str, domains: Iterable[str]) -> bool:
    return any(domain == each or domain.endswith(f".{each}") for each in domains)


def _check_names(where: str, names: Iterable[str]) -> None:
    for name in names:
        if not label_grammar.is_subdomain(name):
            raise ValueError(f"{where}: {name!r} is not the name of an object")


def _resources(containers: list[_Container]) -> ResourceRequirements:
    if len(containers) > 1:
        raise ValueError("spec.containers: a scenario pod has one container")
    given = containers[0].resources if containers else _Resources()
    requests = _merged("requests", _REQUESTS, given.requests)
    limits = _merged("limits", _LIMITS, given.limits)
    for name in requests.keys() & limits.keys():
        if quantities.amount(requests[name]) > quantities.amount(limits[name]):
            raise ValueError(
                f"spec.containers: requests {requests[name]} of {name}, more than its limit "
                f"{limits[name]}"
            )
    return ResourceRequirements(requests=requests, limits=limits)


def _merged(
    what: str, usual: Mapping[str, str], given: Mapping[str, str | int | float | None]
) -> dict[str, str]:
    merged: dict[str, str | int | float | None] = {**usual, **given}
    kept = {name: str(value) for name, value in merged.items() if value is not None}
    for name, value in kept.items():
        if not label_grammar.is_key(name):
            raise ValueError(f"spec.containers: {what}: {name} is not the name of a resource")
        try:
            quantities.amount(value)
        except ValueError as error:
            raise ValueError(f"spec.containers: {what} of {name}: {error}") from None
    return kept
