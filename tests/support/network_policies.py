"""Says what NetworkPolicies allow, as a network plugin would that enforces them.

Where plugins differ it allows: an ipBlock matches the addresses of pods too. So what it says is
not allowed, no plugin allows.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import Any

Manifest = dict[str, Any]
Labels = Mapping[str, str]


@dataclass(frozen=True)
class Peer:
    """One end of a connection: an address, and of a pod also its labels and its namespace."""

    address: str
    namespace: str = ""
    labels: Labels = field(default_factory=dict)

    @property
    def is_pod(self) -> bool:
        return bool(self.namespace)

    @property
    def of_namespace(self) -> Labels:
        """The labels that Kubernetes gives each namespace."""
        return {"kubernetes.io/metadata.name": self.namespace}


def allows(
    policies: Iterable[Manifest], source: Peer, target: Peer, port: int, protocol: str = "TCP"
) -> bool:
    """Whether the source may connect to this port of the target."""
    known = list(policies)
    return _one_way(known, "Egress", source, target, port, protocol) and _one_way(
        known, "Ingress", target, source, port, protocol
    )


def _one_way(
    policies: list[Manifest], way: str, pod: Peer, other: Peer, port: int, protocol: str
) -> bool:
    key, peers = ("egress", "to") if way == "Egress" else ("ingress", "from")
    selecting = [
        policy["spec"]
        for policy in policies
        if pod.is_pod
        and policy["metadata"]["namespace"] == pod.namespace
        and way in policy["spec"]["policyTypes"]
        and selects(policy["spec"]["podSelector"], pod.labels)
    ]
    return not selecting or any(
        _has_port(rule.get("ports"), port, protocol)
        and _has_peer(rule.get(peers), other, pod.namespace)
        for spec in selecting
        for rule in spec.get(key, ())
    )


def _has_port(ports: list[Manifest] | None, port: int, protocol: str) -> bool:
    return not ports or any(
        each.get("protocol", "TCP") == protocol and _is_in_range(each, port) for each in ports
    )


def _is_in_range(given: Manifest, port: int) -> bool:
    first: int = given.get("port", 1)
    last: int = given.get("endPort", first if "port" in given else 65535)
    return first <= port <= last


def _has_peer(peers: list[Manifest] | None, other: Peer, namespace: str) -> bool:
    return not peers or any(_is_meant(peer, other, namespace) for peer in peers)


def _is_meant(peer: Manifest, other: Peer, namespace: str) -> bool:
    if "ipBlock" in peer:
        block, address = peer["ipBlock"], ip_address(other.address)
        return address in ip_network(block["cidr"]) and not any(
            address in ip_network(network) for network in block.get("except", ())
        )
    is_there = (
        selects(peer["namespaceSelector"], other.of_namespace)
        if "namespaceSelector" in peer
        else other.namespace == namespace
    )
    return other.is_pod and is_there and selects(peer.get("podSelector", {}), other.labels)


def selects(selector: Manifest, labels: Labels) -> bool:
    """Whether a label selector means an object with these labels."""
    return selector.get("matchLabels", {}).items() <= labels.items() and all(
        _holds(each, labels) for each in selector.get("matchExpressions", ())
    )


def _holds(requirement: Manifest, labels: Labels) -> bool:
    key, values = requirement["key"], requirement.get("values", ())
    match requirement["operator"]:
        case "In":
            return labels.get(key) in values
        case "NotIn":
            return labels.get(key) not in values
        case "Exists":
            return key in labels
        case _:
            return key not in labels
