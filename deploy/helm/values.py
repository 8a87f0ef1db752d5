"""The chart's values: what each one means, its schema, and its default as the base has it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from controller.settings import Settings as ControllerSettings
from deploy.helm import schemas
from deploy.helm.base import VARIANTS, Manifest, Objects, Variant
from deploy.helm.holes import SETTINGS, TLS_SECRET
from deploy.helm.schemas import Schema, closed, listed
from krkn_grpc.edge.settings import EnvoySettings
from krkn_grpc.server.settings import Settings as ServerSettings

CLASSES = (ServerSettings, ControllerSettings, EnvoySettings)

# Settings that the pod decides: where its processes meet, and that callers show who they are.
OF_THE_POD = frozenset(
    {
        "KRKN_AUTH",
        "KRKN_ENVOY_ADMIN_SOCKET",
        "KRKN_ENVOY_DIRECTORY",
        "KRKN_GRPC_HOST",
        "KRKN_KUBECONFIG",
    }
)


@dataclass(frozen=True)
class Value:
    """A value of the chart, or a group of them."""

    name: str
    description: str
    default: Any = None
    schema: Schema = field(default_factory=dict)
    members: tuple["Value", ...] = ()


def values(default: Objects) -> list[Value]:
    """Return all values; what the base has nothing of has no switch."""
    deployment = only(default, "Deployment")
    pod = deployment["spec"]["template"]["spec"]
    containers = {c["name"]: c for c in (*pod.get("initContainers", ()), *pod["containers"])}
    return [
        *_identity(pod["containers"][0]),
        Value(
            "replicas",
            "Number of pods. Each one serves; one of them acts as the controller.",
            deployment["spec"]["replicas"],
            {"type": "integer", "minimum": 0},
        ),
        _settings(default, containers),
        _tls(),
        _resources(containers),
        *_placement(pod),
        *_around(default),
        *_more(),
    ]


def _group(name: str, description: str, *members: Value) -> Value:
    return Value(name, description, members=members)


def _switch(description: str, *, default: bool = True, name: str = "enabled") -> Value:
    return Value(name, description, default, {"type": "boolean"})


def _text(name: str, description: str, default: str, pattern: str) -> Value:
    return Value(name, description, default, {"type": "string", "pattern": pattern})


def _identity(container: Manifest) -> Iterator[Value]:
    yield Value(
        "fullnameOverride",
        "Prefix of the objects' names; empty: the release's name, with `krkn-grpc` in it.",
        "",
        {"type": "string", "pattern": "^([a-z]([-a-z0-9]*[a-z0-9])?)?$", "maxLength": 40},
    )
    repository, _, tag = container["image"].partition("@")[0].rpartition(":")
    policies = {"enum": ["Always", "IfNotPresent", "Never"]}
    secret = {"type": "string", "pattern": schemas.DNS_NAME, "maxLength": 253}
    yield _group(
        "image",
        "The image of all containers.",
        _text("repository", "Registry and name.", repository, "^[a-z0-9][-a-z0-9._/:]*[a-z0-9]$"),
        _text(
            "tag",
            "Tag; empty: the chart's appVersion.",
            tag,
            "^([A-Za-z0-9_][-A-Za-z0-9._]{0,127})?$",
        ),
        _text("digest", "Digest, instead of the tag.", "", "^(sha256:[0-9a-f]{64})?$"),
        Value("pullPolicy", "When it is pulled.", container["imagePullPolicy"], policies),
        Value("pullSecrets", "Secrets with credentials for its registry.", [], listed(secret)),
    )


def _settings(default: Objects, containers: Mapping[str, Manifest]) -> Value:
    own = {each["name"] for c in containers.values() for each in c.get("env", ())}
    return Value(
        "settings",
        "Settings of Envoy, the server, the log reader and the controller, by their names in "
        "docs/settings.md. A list is one text with commas, or a list. A change restarts the pods.",
        dict(default["ConfigMap", SETTINGS]["data"]),
        schemas.of_settings(CLASSES, own | OF_THE_POD),
    )


def _tls() -> Value:
    modes = ["envoy", *("mesh" for variant in VARIANTS if variant.value == "tls.mode")]
    issuer = closed(
        {
            "name": {"type": "string"},
            "kind": {"enum": ["Issuer", "ClusterIssuer"]},
            "group": {"type": "string"},
        }
    )
    nobody = {"name": "", "kind": "Issuer", "group": "cert-manager.io"}
    names = {"type": "string", "pattern": r"^(\*\.)?[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"}
    return _group(
        "tls",
        "Encryption of what comes to the service.",
        Value(
            "mode",
            "`envoy`: Envoy encrypts. `mesh`: a service mesh does, and refuses plain text.",
            "envoy",
            {"enum": modes},
        ),
        _text(
            "secretName",
            "An existing Secret of type kubernetes.io/tls, for the mode `envoy`.",
            TLS_SECRET,
            schemas.DNS_NAME,
        ),
        _group(
            "certManager",
            "Lets cert-manager, which must be installed, make that Secret and renew it.",
            _switch("Whether the chart has a Certificate.", default=False),
            Value("issuerRef", "The issuer.", nobody, issuer),
            Value("dnsNames", "Names in it, besides the Service's.", [], listed(names)),
        ),
    )


def _resources(containers: Mapping[str, Manifest]) -> Value:
    members = (
        Value(name, f"Of the container {name}.", container["resources"], schemas.RESOURCES)
        for name, container in containers.items()
    )
    return _group("resources", "Requests and limits of each container.", *members)


def _placement(pod: Manifest) -> Iterator[Value]:
    spread = [
        {key: each for key, each in constraint.items() if key != "labelSelector"}
        for constraint in pod.get("topologySpreadConstraints", ())
    ]
    nodes = "Labels of the nodes for our pods (not for scenarios' pods)."
    yield Value("nodeSelector", nodes, {}, schemas.TEXTS)
    yield Value("tolerations", "Taints that our pods tolerate.", [], listed(schemas.TOLERATION))
    yield Value("affinity", "Affinity of our pods.", {}, schemas.AFFINITY)
    yield Value(
        "topologySpreadConstraints",
        "How our pods are spread. A constraint without a labelSelector counts our pods.",
        spread,
        listed(schemas.SPREAD),
    )
    priority = pod.get("priorityClassName", "")
    optional = f"^$|{schemas.DNS_NAME}"
    yield _text("priorityClassName", "Priority class of our pods.", priority, optional)


def _around(default: Objects) -> Iterator[Value]:
    has = {kind for kind, _ in default}
    types = {"enum": ["ClusterIP", "NodePort", "LoadBalancer"]}
    port: Schema = {"type": ["integer", "null"], "minimum": 1, "maximum": 65535}
    yield _group(
        "service",
        "The Service: REST and gRPC on one port.",
        Value("type", "Its type.", "ClusterIP", types),
        Value("port", "Its port; null: 443, and 80 in a mesh.", None, port),
        Value("annotations", "Its annotations.", {}, schemas.TEXTS),
    )
    yield _group(
        "serviceAccounts",
        "The service accounts.",
        Value("annotations", "Annotations of each.", {}, schemas.TEXTS),
    )
    if "PodDisruptionBudget" in has:
        spec = only(default, "PodDisruptionBudget")["spec"]
        count: Schema = {"type": ["integer", "string"], "minimum": 0, "pattern": "^[0-9]{1,3}%$"}
        yield _group(
            "podDisruptionBudget",
            "Limit of evictions at once.",
            _switch("Whether there is one."),
            *(
                Value(key, "Pods, or a percentage.", spec[key], count)
                for key in ("minAvailable", "maxUnavailable")
                if key in spec
            ),
        )
    if "NetworkPolicy" in has:
        yield _group(
            "networkPolicies",
            "Network policies of the namespace.",
            _switch("Whether they are installed."),
        )
    if "ValidatingAdmissionPolicy" in has:
        yield _group(
            "admission",
            "Policies that the API server enforces on others' writes in the release's namespace.",
            _switch("Whether they are installed; without them kubectl bypasses our checks."),
        )
    for variant in VARIANTS:
        if variant.is_component:
            switch = _switch("Whether it is on.", default=False)
            name = variant.value.split(".")[0]
            more = _gateway_api() if name == "gatewayApi" else ()
            yield _group(name, _first_comment(variant), switch, *more)


def _gateway_api() -> Iterator[Value]:
    hosts = listed({"type": "string", "pattern": r"^(\*\.)?[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"})
    gateway = {"name": "gateway", "namespace": "gateway-system"}
    parents = listed(schemas.PARENT) | {"minItems": 1}
    yield Value("parentRefs", "The gateway, and its listener.", [gateway], parents)
    yield Value("hostnames", "Hosts of REST and the page.", ["krkn.example.com"], hosts)
    yield Value("grpcHostnames", "Hosts of gRPC, others.", ["grpc.krkn.example.com"], hosts)
    yield _text(
        "caConfigMap",
        "ConfigMap with the authority of Envoy's certificate: ca.crt.",
        "krkn-grpc-ca",
        schemas.DNS_NAME,
    )


def _more() -> Iterator[Value]:
    yield _group(
        "crds",
        "The resource definitions. They are the cluster's: one release installs them for all.",
        _switch("Whether they are installed, and changed by upgrades.", name="install"),
        _switch("Whether they stay, with all targets and jobs, after an uninstall.", name="keep"),
    )
    roles = "Whether there are krkn-viewer, krkn-runner and the other roles for callers."
    yield _group("rbac", "Roles.", _switch(roles, name="userRoles"))
    yield Value("podLabels", "More labels of our pods.", {}, schemas.OWN_LABELS)
    yield Value("podAnnotations", "More annotations of our pods.", {}, schemas.TEXTS)
    yield Value("extraLabels", "More labels of every object.", {}, schemas.OWN_LABELS)
    yield Value("extraAnnotations", "More annotations of every object.", {}, schemas.TEXTS)


def _first_comment(variant: Variant) -> str:
    [file] = [f for f in variant.folder.iterdir() if f.name.lower().startswith("kustomization")]
    found = re.match(r"# (.*?\.)(?= |\n)", file.read_text())
    return re.sub(r" \(docs/.*?\)", "", found[1]) if found else ""


def only(default: Objects, kind: str) -> Manifest:
    """Return the one object of a kind."""
    [found] = [manifest for (each, _), manifest in default.items() if each == kind]
    return found
