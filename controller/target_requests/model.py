"""What is known of a request, and the steps that can follow."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from controller.target_requests.section import Absent, Fitted, Present, SecretState
from krkn_grpc.resources.meta import Condition
from krkn_grpc.resources.names import PROVIDER
from krkn_grpc.resources.target_request import ClusterTarget, Section, TargetRequestSummary


@dataclass(frozen=True)
class Limits:
    """The times of a request, in seconds."""

    deadline_seconds: float = 50.0
    """After its creation it is completed without the providers that have not answered."""

    ttl_seconds: float = 3600.0
    """After its completion it is deleted; one that is never completed, after its creation."""


@dataclass(frozen=True)
class Providers:
    """The providers of the namespace, by operator-name."""

    active: frozenset[str] = frozenset()
    alive: frozenset[str] = frozenset()
    """Those of the active ones whose heartbeat is seen to change; ours is, because this runs."""

    first_loss: float | None = None
    """The seconds until the next one of them counts as lost."""


@dataclass(frozen=True)
class OwnAnswer:
    """The clusters of this service: what everybody may see of them, and their kubeconfigs."""

    clusters: Sequence[ClusterTarget] = ()
    section: Section = field(default_factory=dict)
    left_out: int = 0
    """Clusters for which a request has no room."""

    def __repr__(self) -> str:
        """Give the number of clusters, without their credentials."""
        return f"OwnAnswer({len(self.clusters)} clusters)"


@dataclass(frozen=True)
class Observed:
    """A request and all that a decision about it needs."""

    request: TargetRequestSummary
    now: datetime
    providers: Providers
    secret: SecretState = field(default_factory=Absent)
    answer: OwnAnswer | None = None
    """None where no answer is needed: ours is there, or our provider is not active."""

    is_refused: bool = False
    """Whether the API server has just refused to store our answer."""

    @property
    def answered(self) -> frozenset[str]:
        """The providers whose key is there."""
        return frozenset(self.request.status.target_data)

    @property
    def has_own_key(self) -> bool:
        """Whether our own key is there."""
        return PROVIDER in self.request.status.target_data


@dataclass(frozen=True)
class Begin:
    """Label the request, and write that it is pending."""


@dataclass(frozen=True)
class WriteSection:
    """Write our section into the Secret, at the version that was read."""

    secret: Absent | Present
    fitted: Fitted


@dataclass(frozen=True)
class Contribute:
    """Write our key, after the section: a reader of the key finds the kubeconfigs."""

    clusters: Sequence[ClusterTarget]
    conditions: Sequence[Condition]


@dataclass(frozen=True)
class Complete:
    """Write that the request is completed."""

    conditions: Sequence[Condition]


@dataclass(frozen=True)
class SetConditions:
    """Write the conditions, which another provider's write has removed, or which have changed."""

    conditions: Sequence[Condition]


@dataclass(frozen=True)
class Remove:
    """Delete the request; its Secret goes with it."""


@dataclass(frozen=True)
class Wait:
    """Nothing to do now; reconcile again after these seconds, or at the next change when None."""

    seconds: float | None


Step = Begin | WriteSection | Contribute | Complete | SetConditions | Remove | Wait
