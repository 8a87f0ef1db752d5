"""Which target a provider's cluster is, and how it is shown."""

from datetime import UTC, datetime

import pytest
from google.protobuf.json_format import MessageToDict

from krkn_grpc.resources.meta import ObjectMeta
from krkn_grpc.resources.names import PROVIDER
from krkn_grpc.resources.provider import Provider, ProviderSpec
from krkn_grpc.resources.target import Target, TargetSpec
from krkn_grpc.resources.target_conditions import admitted
from krkn_grpc.resources.target_request import (
    AnyCluster,
    ClusterTarget,
    Phase,
    TargetRequest,
    TargetRequestSpec,
    TargetRequestStatus,
    TargetRequestSummary,
    TargetRequestSummaryStatus,
)
from krkn_grpc.server.target_requests.clusters import TargetIndex, found_clusters
from krkn_grpc.server.target_requests.translate import clusters_message, discovery_message

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
LATER = NOW.replace(second=9)
UUID = "6f1c1b6e-0000-4000-8000-000000000003"


def a_target(uuid: str, name: str, url: str, *, is_admitted: bool = True) -> Target:
    """A target of this service."""
    target = Target(
        metadata=ObjectMeta(name=uuid, generation=1),
        spec=TargetSpec(
            uuid=uuid,
            cluster_name=name,
            cluster_api_url=url,
            secret_type="token",
            secret_uuid="s",
        ),
    )
    if not is_admitted:
        return target
    return Target(metadata=target.metadata, spec=target.spec, status=admitted(target, NOW))


def a_cluster(name: str, url: str) -> ClusterTarget:
    """A cluster as a provider describes it."""
    return ClusterTarget(cluster_name=name, cluster_api_url=url)


TARGETS = TargetIndex(
    [
        a_target("1", "one", "https://one.example"),
        a_target("2", "two", "https://two.example:6443/"),
        a_target("3", "three", "https://three.example", is_admitted=False),
    ]
)


@pytest.mark.parametrize(
    ("provider", "cluster", "uuid"),
    [
        (PROVIDER, a_cluster("one", "https://one.example"), "1"),
        (PROVIDER, a_cluster("one", "https://ONE.example:443/"), "1"),
        (PROVIDER, a_cluster("renamed", "https://one.example"), ""),
        (PROVIDER, a_cluster("three", "https://three.example"), ""),
        ("acm", a_cluster("another name", "https://two.example:6443"), "2"),
        ("acm", a_cluster("one", "https://elsewhere.example"), ""),
        ("acm", a_cluster("one", ""), ""),
        ("acm", a_cluster("one", "no URL at all"), ""),
    ],
)
def test_a_cluster_is_known_by_its_address(
    provider: str, cluster: ClusterTarget, uuid: str
) -> None:
    assert TARGETS.uuid_of(provider, cluster) == uuid


def test_clusters_are_listed_by_provider_and_name_with_the_names_of_upstream() -> None:
    described = ClusterTarget(
        cluster_name="a",
        cluster_api_url="",
        online=False,
        cluster_status="unknown",
        checked_at="2026-01-02T03:04:05Z",
    )
    request = TargetRequest(
        metadata=ObjectMeta(name=UUID),
        spec=TargetRequestSpec(uuid=UUID),
        status=TargetRequestStatus(
            target_data={
                PROVIDER: [a_cluster("one", "https://one.example")],
                "acm": [a_cluster("b", "https://b.example"), described],
                "empty": [],
            }
        ),
    )
    clusters = found_clusters(request, TARGETS)
    printed = MessageToDict(
        clusters_message(request.status.target_data, clusters),
        always_print_fields_with_no_presence=True,
    )
    assert printed["targetData"] == {
        PROVIDER: [
            {
                "cluster-name": "one",
                "cluster-api-url": "https://one.example",
                "targetUUID": "1",
            }
        ],
        "acm": [
            {
                "cluster-name": "a",
                "cluster-api-url": "",
                "targetUUID": "",
                "online": False,
                "cluster-status": "unknown",
                "checked-at": "2026-01-02T03:04:05Z",
            },
            {"cluster-name": "b", "cluster-api-url": "https://b.example", "targetUUID": ""},
        ],
        "empty": [],
    }
    names = [(each["provider"], each["clusterName"]) for each in printed["clusters"]]
    assert names == [("acm", "a"), ("acm", "b"), (PROVIDER, "one")]
    assert printed["clusters"][0]["online"] is False
    assert "online" not in printed["clusters"][1]


def a_provider(name: str, *, active: bool = True, created: datetime = NOW) -> Provider:
    """A provider of the namespace."""
    return Provider(
        metadata=ObjectMeta(name=name, creation_timestamp=created),
        spec=ProviderSpec(operator_name=name, active=active),
    )


@pytest.mark.parametrize(
    ("phase", "completed", "missing"),
    [("pending", None, ["late", "new"]), ("Completed", NOW, ["late"])],
)
def test_missing_are_the_active_providers_that_have_not_answered(
    phase: Phase, completed: datetime | None, missing: list[str]
) -> None:
    providers = [
        a_provider("there"),
        a_provider("late"),
        a_provider("inactive", active=False),
        a_provider("new", created=LATER),
    ]
    request = TargetRequestSummary(
        metadata=ObjectMeta(name=UUID, creation_timestamp=NOW),
        spec=TargetRequestSpec(uuid=UUID),
        status=TargetRequestSummaryStatus(
            status=phase, target_data={"there": [AnyCluster()]}, completed=completed
        ),
    )
    shown = discovery_message(request, providers)
    assert (list(shown.missing_providers), shown.status) == (missing, phase)
    assert shown.created == "2026-01-02T03:04:05Z"
    assert shown.HasField("completed") == (completed is not None)
