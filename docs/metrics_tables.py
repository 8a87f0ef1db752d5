"""The tables of docs/metrics.md, from the definitions in krkn_grpc/telemetry/metrics.py.

They stand between `<!-- metrics: NAME -->` and `<!-- end -->`; people write the rest of the page.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from prometheus_client import CollectorRegistry
from prometheus_client.metrics import MetricWrapperBase

from krkn_grpc.telemetry import metrics

PAGE = Path(__file__).with_name("metrics.md")
TABLES = {"both": metrics.SHARED, "server": metrics.SERVER, "controller": metrics.CONTROLLER}

_TABLE = re.compile(r"(<!-- metrics: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def definitions(registry: CollectorRegistry) -> Iterator[tuple[str, str, tuple[str, ...], str]]:
    """Yield name, type, labels and meaning of each metric of a registry that this project defines.

    Without those of the process itself (`process_*`), which the library defines.
    """
    there = {family.name for family in registry.collect()}
    for metric in vars(metrics).values():
        if not isinstance(metric, MetricWrapperBase):
            continue
        [family] = metric.describe()
        if family.name in there:
            name = f"{family.name}_total" if family.type == "counter" else family.name
            # The library has no other way to ask for them.
            yield name, family.type, tuple(metric._labelnames), family.documentation


def with_tables(page: str) -> str:
    """Return the page with its tables made again."""
    return _TABLE.sub(lambda found: found[1] + _table(TABLES[found[2]]) + found[3], page)


def _table(registry: CollectorRegistry) -> str:
    lines = ["| metric | type | labels | |", "|---|---|---|---|"]
    for name, kind, labels, meaning in definitions(registry):
        shown = ", ".join(f"`{label}`" for label in labels)
        lines.append(f"| `{name}` | {kind} | {shown} | {meaning} |")
    return "\n".join(lines) + "\n"
