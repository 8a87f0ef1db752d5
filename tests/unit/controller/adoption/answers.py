"""Answers of a provider, and targets that were adopted from it."""

from datetime import UTC, datetime, timedelta

from controller.adoption.model import Found, Observed
from krkn_grpc.resources import kubeconfig
from krkn_grpc.resources.adopted import Adoption, Source, adopted_uuid, provider_label
from krkn_grpc.resources.meta import ObjectMeta
from krkn_grpc.resources.target import Target, TargetSpec

PROVIDER, NAME = "acm", "prod"
BEGUN = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
KUBECONFIG = kubeconfig.from_token("https://10.0.0.1:6443", "a-token")
GOOD = Found(KUBECONFIG)


def source(number: int) -> Source:
    """The n-th request."""
    return Source(requested=BEGUN + timedelta(seconds=number), request_uid=f"uid-{number}")


def adoption(seen: int, copied: int | None = None, *, is_gone: bool = False) -> Adoption:
    """What was decided from the request `seen`, with the credential of the request `copied`."""
    return Adoption(
        provider=PROVIDER,
        source=source(seen),
        credential=None if copied is None else source(copied),
        is_gone=is_gone,
    )


def a_target(
    known: Adoption | None, name: str = NAME, *, label: str = PROVIDER, is_going: bool = False
) -> Target:
    """A target that was adopted so."""
    uuid = adopted_uuid(PROVIDER, name)
    metadata = ObjectMeta(
        name=uuid,
        labels=provider_label(label) if label else {},
        annotations={} if known is None else known.annotation,
        deletion_timestamp=BEGUN if is_going else None,
    )
    spec = TargetSpec(
        uuid=uuid,
        cluster_name=name,
        cluster_api_url=KUBECONFIG.server,
        secret_type="kubeconfig",
        secret_uuid=uuid,
    )
    return Target(metadata=metadata, spec=spec)


def seen(number: int, found: dict[str, Found], *targets: Target) -> Observed:
    """The answer to the n-th request."""
    by_uuid = {target.metadata.name: target for target in targets}
    return Observed(PROVIDER, source(number), found, by_uuid)
