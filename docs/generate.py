"""Writes what the code says of itself: docs/settings.md, tables, PrometheusRule, service config.

python -m docs.generate            writes them
python -m docs.generate --check    writes nothing; fails when one is not fresh
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, get_args, get_origin

from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

from controller.settings import Settings as ControllerSettings
from deploy.alerts import rules
from deploy.local.services import ON_ONES_OWN_MACHINE, REPOSITORY
from docs import metrics_tables, service_config
from krkn_grpc.edge.settings import EnvoySettings
from krkn_grpc.server.settings import Settings as ServerSettings

PAGE = Path(__file__).with_name("settings.md")
RUNBOOKS = Path(__file__).parent / "runbooks" / "README.md"
PROCESSES: dict[str, type[BaseSettings]] = {
    "The server": ServerSettings,
    "The controller": ControllerSettings,
    "Envoy": EnvoySettings,
}
INTRODUCTION = """\
# Settings

Each process reads its settings from environment variables. Each one has a default, and a wrong
value stops the process with a message that names it. Lists are separated by commas.

`make run` hands its environment on to all three. Unless you set them, it sets what only one's own
machine should have:

{own_machine}

It has a few more of its own: `KRKN_KUBECONFIG` is a cluster to use in the place of a local
control plane, `KUBEBUILDER_ASSETS` a folder that has kube-apiserver and etcd already, and what is
built goes to `XDG_CACHE_HOME` (`~/.cache`). `KRKN_OBSERVE=1` starts a Prometheus too, on
`KRKN_PROMETHEUS_PORT` or a free port ([observability](observability.md)). `KRKN_KEEP=1` keeps
`.local/logs`, and in `.local/state` what is in the local control plane, for the next start with
it; without it, both go at the end and before a start. It needs 320 MB of free space in `TMPDIR`
(`/tmp`), with `KRKN_KEEP` in the working folder.
"""


def page() -> str:
    """Return the whole page."""
    own = "\n".join(f"- `{name}={value}`" for name, value in ON_ONES_OWN_MACHINE.items())
    parts = [INTRODUCTION.format(own_machine=own)]
    for title, settings in PROCESSES.items():
        lines = "\n".join(rows(settings))
        parts.append(f"## {title}\n\n| setting | default | |\n|---|---|---|\n{lines}\n")
    return "\n".join(parts)


def rows(settings: type[BaseSettings]) -> Iterator[str]:
    """Return a table row for each setting; raises LookupError for one that says nothing."""
    prefix = settings.model_config.get("env_prefix", "")
    for name, field in settings.model_fields.items():
        if not field.description:
            raise LookupError(f"{settings.__module__}: {name} has no description")
        # OpenTelemetry's own have its names.
        setting = name.upper() if field.validation_alias else f"{prefix}{name.upper()}"
        yield f"| `{setting}` | {_default(field)} | {_said(field.description)}{_values(field)} |"


def _default(field: FieldInfo) -> str:
    value = field.default
    if isinstance(value, tuple):
        value = ",".join(map(str, value))
    if isinstance(value, bool):
        value = str(value).lower()
    return "" if value in (None, "") else f"`{value}`"


def _values(field: FieldInfo) -> str:
    if get_origin(field.annotation) is not Literal:
        return ""
    values = ", ".join(f"`{value}`" for value in get_args(field.annotation) if value)
    return f" (one of {values})"


def _said(description: str) -> str:
    said = " ".join(description.split()).replace("|", "\\|").rstrip(".")
    return said[0].upper() + said[1:]


def with_alerts(index: str) -> str:
    """Return the index of the runbooks with its table of alerts made again."""
    parts = re.compile(r"(<!-- alerts -->\n).*?(<!-- end -->)", re.DOTALL)
    return parts.sub(lambda found: found[1] + rules.table() + found[2], index)


def main() -> int:
    """Write the pages, or with --check compare; the exit code says whether all is well."""
    metrics = metrics_tables.PAGE
    pages = {
        PAGE: page(),
        metrics: metrics_tables.with_tables(metrics.read_text()),
        RUNBOOKS: with_alerts(RUNBOOKS.read_text()),
        rules.MANIFEST: rules.manifest(),
        service_config.PAGE: service_config.text(),
        service_config.GO: service_config.go(),
    }
    if "--check" not in sys.argv[1:]:
        for path, text in pages.items():
            path.write_text(text)
        return 0
    stale = [path for path, text in pages.items() if not path.exists() or path.read_text() != text]
    for path in stale:
        print(f"{path.relative_to(REPOSITORY)} is not fresh: run make docs", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
