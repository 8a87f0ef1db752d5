"""NetworkPolicies: the fields by which a scenario's pod is let out to its target.

Each has a default, because the policies of others are read too.
"""

from krkn_grpc.resources.meta import Kind, Resource, Struct
from krkn_grpc.resources.scheduling import LabelSelector


class IPBlock(Struct, frozen=True, kw_only=True):
    """A network in CIDR form."""

    cidr: str = ""


class NetworkPolicyPeer(Struct, frozen=True, kw_only=True):
    """A destination that a rule allows."""

    ip_block: IPBlock | None = None


class NetworkPolicyPort(Struct, frozen=True, kw_only=True, omit_defaults=False):
    """A port that may be contacted."""

    protocol: str = "TCP"
    port: int | str = 0


class NetworkPolicyEgressRule(Struct, frozen=True, kw_only=True):
    """These ports of these peers."""

    to: list[NetworkPolicyPeer] = []
    ports: list[NetworkPolicyPort] = []


class NetworkPolicySpec(Struct, frozen=True, kw_only=True):
    """What the selected pods may contact."""

    pod_selector: LabelSelector = LabelSelector()
    policy_types: list[str] = []
    egress: list[NetworkPolicyEgressRule] = []


class NetworkPolicy(Resource, frozen=True, kw_only=True):
    """A NetworkPolicy; several that select a pod add up."""

    KIND = Kind("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies")

    spec: NetworkPolicySpec = NetworkPolicySpec()
