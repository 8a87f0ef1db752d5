"""The observed answer of one provider, and the actions on its targets."""

from collections.abc import Mapping
from dataclasses import dataclass

from krkn_grpc.resources.adopted import Adoption, Source
from krkn_grpc.resources.kubeconfig import Kubeconfig
from krkn_grpc.resources.target import Target


@dataclass(frozen=True)
class Found:
    """One cluster of a provider's answer.

    `kubeconfig` is the checked one, None when there is none to use; `refusal` says why it was
    refused, without its content. `same_as` is the target of the same API that is registered here.
    """

    kubeconfig: Kubeconfig | None = None
    refusal: str = ""
    same_as: str = ""


@dataclass(frozen=True)
class Observed:
    """The newest completed answer of a provider, and the targets that were adopted from it.

    `found` has every cluster of the answer by its name. `targets` has, by uuid, the targets adopted
    from the provider, and any other object that has the uuid of one.
    """

    provider: str
    source: Source
    found: Mapping[str, Found]
    targets: Mapping[str, Target]


@dataclass(frozen=True)
class Create:
    """Create the target of a cluster that is not adopted yet, and then its Secret."""

    cluster_name: str
    kubeconfig: Kubeconfig
    adoption: Adoption


@dataclass(frozen=True)
class Copy:
    """Write the credential into the target's Secret, then into the target what it is from."""

    target: Target
    cluster_name: str
    kubeconfig: Kubeconfig
    adoption: Adoption


@dataclass(frozen=True)
class Mark:
    """Write into the target what was decided for it; the credential stays."""

    target: Target
    adoption: Adoption


Action = Create | Copy | Mark
