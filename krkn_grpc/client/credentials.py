"""What a target is registered with: how its cluster is reached, and as whom."""

from dataclasses import dataclass, field
from pathlib import Path

from krkn_grpc.client import kubeconfigs
from krkn_grpc.client.statuses import SecretType
from krkn_grpc.v1 import targets_pb2 as pb


@dataclass(frozen=True)
class Kubeconfig:
    """A kubeconfig as YAML, with everything embedded; its current context is used."""

    text: str = field(repr=False)

    @classmethod
    def read(cls, path: Path | str | None = None, context: str = "") -> "Kubeconfig":
        """Read one context of a kubeconfig file, and the certificate files that it names.

        Left out: kubectl's own files (KUBECONFIG, else ~/.kube/config), the current context.
        Raises OSError and BadKubeconfig.
        """
        return cls(kubeconfigs.load(path).embedded(context))


@dataclass(frozen=True)
class BearerToken:
    """A bearer token for a cluster's API; without `ca_bundle` (PEM) it is not verified."""

    api_url: str
    token: str = field(repr=False)
    ca_bundle: str = ""


@dataclass(frozen=True)
class Password:
    """Basic authentication at a cluster's API; without `ca_bundle` (PEM) it is not verified."""

    api_url: str
    username: str
    password: str = field(repr=False)
    ca_bundle: str = ""


Credential = Kubeconfig | BearerToken | Password


def fill(request: pb.CreateTargetRequest | pb.UpdateTargetRequest, given: Credential) -> None:
    """Set the fields of a request that the credential has."""
    match given:
        case Kubeconfig():
            request.secret_type, request.kubeconfig = SecretType.KUBECONFIG, given.text
            return
        case BearerToken():
            request.secret_type, request.token = SecretType.TOKEN, given.token
        case Password():
            request.secret_type = SecretType.CREDENTIALS
            request.username, request.password = given.username, given.password
    request.cluster_api_url, request.ca_bundle = given.api_url, given.ca_bundle
