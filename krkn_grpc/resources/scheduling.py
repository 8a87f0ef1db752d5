"""The fields of a pod by which an administrator places and limits it, as Kubernetes spells them.

These types also read an administrator's text, so an unknown field is an error.
"""

from typing import Literal

from krkn_grpc.resources.meta import Struct


class Toleration(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A taint of nodes that the pod may be scheduled on nevertheless."""

    key: str = ""
    operator: Literal["Equal", "Exists", ""] = ""
    value: str = ""
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute", ""] = ""
    toleration_seconds: int | None = None

    def __post_init__(self) -> None:
        """Raise ValueError for a toleration that Kubernetes refuses."""
        if not self.key and self.operator != "Exists":
            raise ValueError("a toleration without key has operator Exists")
        if self.operator == "Exists" and self.value:
            raise ValueError("a toleration with operator Exists has no value")
        if self.toleration_seconds is not None and self.effect != "NoExecute":
            raise ValueError("a toleration with tolerationSeconds has effect NoExecute")


class Requirement(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One requirement of a label selector."""

    key: str
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist"]
    values: list[str] = []


class LabelSelector(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which objects are meant, by their labels; without requirements all of them."""

    match_labels: dict[str, str] = {}
    match_expressions: list[Requirement] = []


class TopologySpreadConstraint(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How evenly pods are spread over nodes or zones."""

    max_skew: int
    topology_key: str
    when_unsatisfiable: Literal["DoNotSchedule", "ScheduleAnyway"]
    label_selector: LabelSelector | None = None
    min_domains: int | None = None
    match_label_keys: list[str] = []
    node_affinity_policy: Literal["Honor", "Ignore", ""] = ""
    node_taints_policy: Literal["Honor", "Ignore", ""] = ""

    def __post_init__(self) -> None:
        """Raise ValueError for a constraint that Kubernetes refuses."""
        if self.max_skew < 1 or not self.topology_key:
            raise ValueError("a topologySpreadConstraint has a maxSkew of 1 or more, and a key")


class ResourceRequirements(Struct, frozen=True, kw_only=True):
    """What a container requests and may use at most: quantities by name of the resource."""

    requests: dict[str, str] = {}
    limits: dict[str, str] = {}
