"""The resource definitions of the Prometheus operator, as a cluster has them that runs one."""

from pathlib import Path

from deploy.local.go.sources import PROMETHEUS_OPERATOR, source_folder
from deploy.local.progress import Progress

_FOLDER = Path("example") / "prometheus-operator-crd"
KINDS = ("podmonitors", "prometheusrules")
"""The kinds of which we ship objects."""


def definitions() -> list[Path]:
    """Return the files of the definitions; manifests.load reads them."""
    folder = source_folder(PROMETHEUS_OPERATOR, Progress()) / _FOLDER
    return [folder / f"monitoring.coreos.com_{kind}.yaml" for kind in KINDS]
