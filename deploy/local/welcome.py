"""The message that `make run` prints once everything runs."""

import os
from collections.abc import Iterator
from pathlib import Path

from deploy.local.page_key import page_url
from deploy.local.services import Services
from deploy.local.settings import Settings


def welcome(
    settings: Settings, services: Services, local: Path, seconds: float, prometheus: str = ""
) -> str:
    """Return the text with the addresses, the folder of the logs, and the next steps to try.

    `prometheus` is its URL, if one runs.
    """
    here = Path(os.path.relpath(local))
    kubeconfig = settings.kubeconfig or here / "admin.kubeconfig"
    lines = [
        "",
        f"krkn-grpc runs (ready after {seconds:.1f} s). Ctrl-C stops it all.",
        "",
        *([f"  the page   {url}"] if (url := page_url(services)) else []),
        f"  REST       {services.rest_url}/api/v1",
        f"  to read    {services.rest_url}/api/v1/docs",
        f"  gRPC       {services.grpc_address} (and on the REST port)",
        *_metrics(services),
        *([f"  Prometheus {prometheus}"] if prometheus else []),
        f"  logs       {here}/logs/",
        f"  kubectl    --kubeconfig {kubeconfig} -n {settings.namespace}",
    ]
    target = Path("TARGET.kubeconfig")
    if settings.kubeconfig is None:
        target = here / "demo-target-1.kubeconfig"
        lines.append(f"  targets    {target}, -2 and -3: to register and try")
    lines += ["", "Next, in a second terminal:", ""]
    if settings.kubeconfig is None and settings.auth == "none":
        is_default = settings.rest_port == Settings.model_fields["rest_port"].default
        if not is_default:
            lines.append(f"  export KRKN_SERVER={services.rest_url.removeprefix('http://')}")
        lines += ["  make demo", "", "or register a target:", ""]
    lines += _registration(settings.auth, target)
    return "\n".join([*lines, ""])


def _metrics(services: Services) -> Iterator[str]:
    title = "metrics"
    for process, url in services.metrics_urls.items():
        yield f"  {title:<10} {url} ({process})"
        title = ""


def _registration(auth: str, target: Path) -> Iterator[str]:
    if auth != "none":
        yield "  export KRKN_TOKEN=...   # of a caller that Kubernetes knows, for krkn-grpc"
    yield f"  .venv/bin/krkn-grpc targets add --name demo-1 --kubeconfig {target}"
