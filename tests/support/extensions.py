"""The resource definitions of Istio, the Gateway API and cert-manager, of the kinds that we ship.

A cluster has them where these are installed.
"""

from pathlib import Path
from typing import Any

from deploy.local.cluster import manifests
from deploy.local.go.sources import CERT_MANAGER, GATEWAY_API, ISTIO_API, source_folder
from deploy.local.progress import Progress
from deploy.local.services import REPOSITORY

Manifest = dict[str, Any]

COMPONENTS = REPOSITORY / "deploy" / "components"
_ISTIO = frozenset(
    {
        "authorizationpolicies.security.istio.io",
        "destinationrules.networking.istio.io",
        "peerauthentications.security.istio.io",
        "serviceentries.networking.istio.io",
        "virtualservices.networking.istio.io",
    }
)
_GATEWAY_API = ("backendtlspolicies", "grpcroutes", "httproutes")


def definitions() -> list[Manifest]:
    """Return the definitions."""
    files = Path("config") / "crd" / "standard"
    gateway = source_folder(GATEWAY_API, Progress()) / files
    istio = source_folder(ISTIO_API, Progress()) / "kubernetes"
    all_of_istio = manifests.load(istio / "customresourcedefinitions.gen.yaml")
    certificates = source_folder(CERT_MANAGER, Progress()) / "deploy" / "crds"
    return [
        *(each for each in all_of_istio if each["metadata"]["name"] in _ISTIO),
        *manifests.load(
            *(gateway / f"gateway.networking.k8s.io_{kind}.yaml" for kind in _GATEWAY_API),
            certificates / "cert-manager.io_certificates.yaml",
        ),
    ]


def shipped() -> dict[str, Manifest]:
    """Return the objects of these kinds in `deploy/components`, by kind."""
    folders = (COMPONENTS / name for name in ("istio", "gateway-api", "cert-manager"))
    return {manifest["kind"]: manifest for manifest in manifests.load(*folders)}
