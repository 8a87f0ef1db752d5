"""Puts the chart's values and the release's names into the objects of an installation."""

import json
import re
from collections.abc import Callable, Collection
from typing import Any

from deploy.helm import nodes
from deploy.helm.base import NAMESPACE, Identity, Manifest
from deploy.helm.nodes import Lines, Template

CHART = "krkn-grpc"
FULLNAME = Template('{{ include "krkn-grpc.fullname" . }}')
RELEASE_NAMESPACE = Template("{{ .Release.Namespace }}")
RELEASE = Template("{{ .Release.Name }}")
NAME_LABEL = "app.kubernetes.io/name"
INSTANCE_LABEL = "app.kubernetes.io/instance"
TLS_SECRET = "krkn-grpc-tls"
SETTINGS = "krkn-grpc-settings"

POLICIES = frozenset({"ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"})
CLUSTER_WIDE = POLICIES | {"ClusterRole", "ClusterRoleBinding"}

# The accounts have the same names in each namespace: the processes know them, and a namespace has
# one installation.
_ACCOUNTS = frozenset({"ServiceAccount", "Role", "RoleBinding"})

# Labels that the chart's helper sets on every object.
_CHARTS_LABELS = (
    NAME_LABEL,
    INSTANCE_LABEL,
    "app.kubernetes.io/managed-by",
    "app.kubernetes.io/version",
)
# Keys whose values name other objects.
_REFERENCES = frozenset({"host", "name", "secretName"})
_PREFIX = re.compile(rf"^{CHART}(?=-|$)")


def _optional(value: str, key: str, content: str, indent: int) -> tuple[str, ...]:
    return (
        f"{{{{- with .Values.{value} }}}}",
        f"{key}:",
        f"  {{{{- {content} | nindent {indent} }}}}",
        "{{- end }}",
    )


_POD = Lines(
    (
        *_optional("image.pullSecrets", "imagePullSecrets", 'include "krkn-grpc.pullSecrets" $', 8),
        *_optional("nodeSelector", "nodeSelector", "toYaml .", 8),
        *_optional("tolerations", "tolerations", "toYaml .", 8),
        *_optional("affinity", "affinity", "toYaml .", 8),
        *_optional(
            "topologySpreadConstraints",
            "topologySpreadConstraints",
            'include "krkn-grpc.topologySpreadConstraints" $',
            8,
        ),
        "{{- with .Values.priorityClassName }}",
        "priorityClassName: {{ . }}",
        "{{- end }}",
    )
)
_MORE_ANNOTATIONS = {
    "Service": ".Values.service.annotations",
    "ServiceAccount": ".Values.serviceAccounts.annotations",
}


class Names:
    """Which objects are named by the release, and which by its namespace."""

    def __init__(self, identities: Collection[Identity]) -> None:
        elsewhere = CLUSTER_WIDE | _ACCOUNTS | {"Namespace", "CustomResourceDefinition"}
        self.of_the_release = {name for kind, name in identities if kind not in elsewhere}
        self.of_the_cluster = {name for kind, name in identities if kind in CLUSTER_WIDE}


def with_values(manifest: Manifest, names: Names) -> Manifest:
    """Return the object with expressions where values and the release's names stand."""
    kind = manifest["kind"]
    manifest = {key: manifest[key] for key in ("apiVersion", "kind", "metadata")} | manifest
    if kind == "CustomResourceDefinition":
        return manifest | {"metadata": _metadata(manifest["metadata"], kind)}
    placed: Manifest = _placed(manifest, "", names)
    if kind in CLUSTER_WIDE:
        placed["metadata"]["name"] = _of_the_namespace(manifest["metadata"]["name"])
    # The annotations of the values are for the Service that others reach.
    placed["metadata"] = _metadata(placed["metadata"], "" if _is_headless(placed) else kind)
    if change := _CHANGES.get(kind):
        change(placed)
    return placed


def _metadata(metadata: Manifest, kind: str) -> Manifest:
    labels = {k: v for k, v in metadata.get("labels", {}).items() if k not in _CHARTS_LABELS}
    changed = {key: each for key, each in metadata.items() if key not in ("labels", "annotations")}
    changed["labels"] = labels | {"+": Lines(('{{- include "krkn-grpc.labels" . | nindent %d }}',))}
    return changed | _annotations(metadata.get("annotations", {}), kind)


def _annotations(own: Manifest, kind: str) -> Manifest:
    """Return the entry `annotations`: the object's own ones and those of the values."""
    more = _MORE_ANNOTATIONS.get(kind)
    given = f"merge (dict) {more} .Values.extraAnnotations" if more else ".Values.extraAnnotations"
    lines = [f"{{{{- with {given} }}}}", "{{- toYaml . | nindent 4 }}", "{{- end }}"]
    guard = lines[0]
    if kind == "CustomResourceDefinition":
        keep = ["{{- if .Values.crds.keep }}", "helm.sh/resource-policy: keep", "{{- end }}"]
        lines = [*keep, *lines]
        guard = "{{- if or .Values.crds.keep .Values.extraAnnotations }}"
    if own:
        return {"annotations": {**own, "+": Lines(tuple(lines))}}
    # Without any there is no empty entry.
    if kind != "CustomResourceDefinition":
        lines = lines[1:-1]
    indented = [f"  {line}" for line in lines]
    return {"+annotations": Lines((guard, "annotations:", *indented, "{{- end }}"))}


def _placed(value: Any, key: str, names: Names) -> Any:
    if isinstance(value, dict):
        # A name first, as a person writes it.
        ordered = ({"name": value["name"]} if "name" in value else {}) | value
        placed = {inner: _placed(each, inner, names) for inner, each in ordered.items()}
        if key in ("labels", "matchLabels", "selector") and NAME_LABEL in value:
            return value | {INSTANCE_LABEL: RELEASE}
        if key == "roleRef" and value["kind"] in CLUSTER_WIDE:
            placed["name"] = _referred(value["name"], names)
        return placed
    if isinstance(value, list):
        return [_placed(each, "", names) for each in value]
    return _text(value, key, names) if isinstance(value, str) else value


def _text(value: str, key: str, names: Names) -> str:
    if value == TLS_SECRET:
        return Template("{{ .Values.tls.secretName }}")
    if key == "policyName":
        return _referred(value, names)
    text = value.replace("{{", '{{ "{{" }}')
    if key in _REFERENCES and value in names.of_the_release:
        text = _PREFIX.sub(FULLNAME, text)
    return text.replace(NAMESPACE, RELEASE_NAMESPACE)


def _referred(name: str, names: Names) -> str:
    return _of_the_namespace(name) if name in names.of_the_cluster else name


def _of_the_namespace(name: str) -> str:
    """Return the name of an object of the cluster, so that no other namespace has it."""
    if NAMESPACE in name:
        return name.replace(NAMESPACE, RELEASE_NAMESPACE)
    return f"{name}.{RELEASE_NAMESPACE}"


_CHECKSUM = (
    '{{ (include (print $.Template.BasePath "/settings.yaml") . | fromYaml).data'
    " | toJson | sha256sum }}"
)


def _deployment(manifest: Manifest) -> None:
    spec = manifest["spec"]
    spec["replicas"] = Template("{{ .Values.replicas }}")
    metadata = spec["template"].setdefault("metadata", {})
    own = metadata.pop("annotations", {})
    metadata["labels"] |= {"+": _given("podLabels")}
    metadata["annotations"] = {
        # Another value than ours, where one is given: twice the same key is no YAML.
        **{f"+{key}": _unless_given("podAnnotations", key, each) for key, each in own.items()},
        # Settings are read at the start of a process: other settings, other pods.
        "checksum/settings": Template(_CHECKSUM),
        "+": _given("podAnnotations"),
    }
    pod = spec["template"]["spec"]
    pod.pop("topologySpreadConstraints", None)
    for container in (*pod.get("initContainers", ()), *pod["containers"]):
        container["image"] = Template('{{ include "krkn-grpc.image" . }}')
        container["imagePullPolicy"] = Template("{{ .Values.image.pullPolicy }}")
        value = f"(index .Values.resources {json.dumps(container['name'])})"
        container["resources"] = Lines((f"{{{{- toYaml {value} | nindent %d }}}}",))
    pod["+"] = _POD


def _unless_given(value: str, key: str, text: str) -> Lines:
    return Lines(
        (
            f'{{{{- if not (hasKey .Values.{value} "{key}") }}}}',
            f"{key}: {nodes.quoted(text)}",
            "{{- end }}",
        )
    )


def _given(value: str) -> Lines:
    return Lines((f"{{{{- with .Values.{value} }}}}", "{{- toYaml . | nindent %d }}", "{{- end }}"))


def _is_headless(manifest: Manifest) -> bool:
    return bool(manifest.get("spec", {}).get("clusterIP") == "None")


def _service(manifest: Manifest) -> None:
    spec = manifest["spec"]
    if _is_headless(manifest):  # its port is the pods'
        return
    spec["type"] = Template("{{ .Values.service.type }}")
    for port in spec["ports"]:
        port["port"] = Template(f"{{{{ .Values.service.port | default {port['port']} }}}}")


def _budget(manifest: Manifest) -> None:
    for key in ("minAvailable", "maxUnavailable"):
        if key in manifest["spec"]:
            manifest["spec"][key] = Template(f"{{{{ .Values.podDisruptionBudget.{key} }}}}")


def _virtual_service(manifest: Manifest) -> None:
    manifest["spec"]["hosts"] = [FULLNAME]


def _route(manifest: Manifest) -> None:
    spec, kind = manifest["spec"], manifest["kind"]
    spec["parentRefs"] = _of_values("gatewayApi.parentRefs")
    names = {"HTTPRoute": "hostnames", "GRPCRoute": "grpcHostnames"}
    spec["hostnames"] = _of_values(f"gatewayApi.{names[kind]}")
    for rule in spec["rules"]:
        for backend in rule["backendRefs"]:
            of_service = (
                '.Values.service.port | default (ternary 80 443 (eq .Values.tls.mode "mesh"))'
            )
            backend["port"] = Template(f"{{{{ {of_service} }}}}")


def _backend_tls(manifest: Manifest) -> None:
    validation = manifest["spec"]["validation"]
    validation["hostname"] = Template(f"{FULLNAME}.{RELEASE_NAMESPACE}.svc")
    for reference in validation["caCertificateRefs"]:
        reference["name"] = Template("{{ .Values.gatewayApi.caConfigMap }}")


def _of_values(value: str) -> Lines:
    return Lines((f"{{{{- toYaml .Values.{value} | nindent %d }}}}",))


def _binding_of_a_policy(manifest: Manifest) -> None:
    # Another release's accounts have other names, so each policy is for its own namespace.
    selector = {"matchLabels": {"kubernetes.io/metadata.name": RELEASE_NAMESPACE}}
    manifest["spec"].setdefault("matchResources", {}).setdefault("namespaceSelector", selector)


def _settings(manifest: Manifest) -> None:
    if _PREFIX.sub("", SETTINGS) in manifest["metadata"]["name"]:
        manifest["data"] = {"+": Lines(('{{- include "krkn-grpc.settings" . | nindent %d }}',))}


_CHANGES: dict[str, Callable[[Manifest], None]] = {
    "BackendTLSPolicy": _backend_tls,
    "ConfigMap": _settings,
    "Deployment": _deployment,
    "GRPCRoute": _route,
    "HTTPRoute": _route,
    "PodDisruptionBudget": _budget,
    "Service": _service,
    "ValidatingAdmissionPolicyBinding": _binding_of_a_policy,
    "VirtualService": _virtual_service,
}
