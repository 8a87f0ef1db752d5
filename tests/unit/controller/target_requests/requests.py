"""Requests, Secrets and answers as the decisions see them."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from controller.target_requests.model import Observed, OwnAnswer, Providers
from controller.target_requests.section import Present, SecretState
from krkn_grpc.resources.meta import Condition, ObjectMeta
from krkn_grpc.resources.names import PROVIDER
from krkn_grpc.resources.target_request import (
    AnyCluster,
    ClusterTarget,
    DiscoveredCluster,
    Phase,
    Section,
    TargetRequestSpec,
    TargetRequestSummary,
    TargetRequestSummaryStatus,
)

UUID = "6f1c1b6e-0000-4000-8000-000000000003"
CREATED = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
OTHER = "krkn-operator-acm"
SECTION: Section = {
    "one": DiscoveredCluster(
        cluster_name="one", cluster_api="https://one.example", kubeconfig="YQ=="
    )
}
ANSWER = OwnAnswer(
    (ClusterTarget(cluster_name="one", cluster_api_url="https://one.example"),), SECTION
)
NOTHING = OwnAnswer()


def a_request(
    phase: Phase = "pending",
    *answered: str,
    completed_after: float | None = None,
    conditions: Sequence[Condition] = (),
    is_deleted: bool = False,
) -> TargetRequestSummary:
    """A request that these providers have answered."""
    completed = None if completed_after is None else CREATED + timedelta(seconds=completed_after)
    return TargetRequestSummary(
        metadata=ObjectMeta(
            name=UUID,
            uid="its uid",
            resource_version="7",
            generation=1,
            creation_timestamp=CREATED,
            deletion_timestamp=CREATED if is_deleted else None,
        ),
        spec=TargetRequestSpec(uuid=UUID),
        status=TargetRequestSummaryStatus(
            status=phase,
            target_data={provider: [AnyCluster()] for provider in answered},
            created=CREATED,
            completed=completed,
            conditions=list(conditions),
        ),
    )


def a_secret(**sections: object) -> Present:
    """A Secret with these sections; `own` is ours."""
    named = {PROVIDER if name == "own" else name: part for name, part in sections.items()}
    return Present("8", {name: msgspec.Raw(msgspec.json.encode(p)) for name, p in named.items()})


def seen(
    request: TargetRequestSummary,
    *,
    after: float = 1,
    active: Sequence[str] = (PROVIDER,),
    alive: Sequence[str] | None = None,
    first_loss: float | None = None,
    secret: SecretState | None = None,
    answer: OwnAnswer | None = None,
) -> Observed:
    """What is seen so many seconds after the request was made."""
    living = frozenset(active if alive is None else alive)
    providers = Providers(frozenset(active), living, first_loss)
    now = CREATED + timedelta(seconds=after)
    if secret is None:
        return Observed(request, now, providers, answer=answer)
    return Observed(request, now, providers, secret, answer)
