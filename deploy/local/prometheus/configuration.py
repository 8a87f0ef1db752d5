"""The configuration of a Prometheus that reads our processes on this machine. Pure."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

Configuration = Mapping[str, Any]
"""The content of prometheus.yml."""


def configuration(
    urls: Mapping[str, str],
    *,
    namespace: str,
    rules: Iterable[Path] = (),
    scrape_seconds: float = 5.0,
    evaluation_seconds: float = 5.0,
) -> Configuration:
    """Return a configuration that scrapes `urls`: the URL of each process's metrics, by its name.

    The series have the labels that they have in a cluster: `namespace`, and `pod` and `container`,
    which both are the process's name here. `rules` are files of rules.
    """
    scrape, evaluation = (f"{round(s * 1000)}ms" for s in (scrape_seconds, evaluation_seconds))
    return {
        "global": {
            "scrape_interval": scrape,
            "scrape_timeout": scrape,
            "evaluation_interval": evaluation,
        },
        "rule_files": [str(path) for path in rules],
        "scrape_configs": [_scraped(name, url, namespace) for name, url in urls.items()],
    }


def _scraped(name: str, url: str, namespace: str) -> dict[str, Any]:
    parts = urlsplit(url)
    labels = {"namespace": namespace, "pod": name, "container": name}
    return {
        "job_name": name,
        "scheme": parts.scheme,
        "metrics_path": parts.path,
        "static_configs": [{"targets": [parts.netloc], "labels": labels}],
    }
