"""A Prometheus with our rules, whose times are seconds, beside processes of a test."""

import contextlib
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from deploy.alerts import rules
from deploy.local.go.build import Binaries
from deploy.local.prometheus.configuration import configuration
from deploy.local.prometheus.server import Alert, Prometheus
from tests.support.running import Running
from tests.support.waiting import eventually

_SCRAPE_SECONDS = 0.5
_WINDOW, _HOLDS_FOR = "5s", "1s"
_RANGE = re.compile(r"\[\w+\]")
_SECONDS = 60.0


def shortened() -> str:
    """Return the rules with 5 seconds for every window, and 1 s for which an alert must hold."""
    content = yaml.safe_load(rules.SOURCE.read_text())
    for group in content["groups"]:
        for rule in group["rules"]:
            rule["expr"] = _RANGE.sub(f"[{_WINDOW}]", rule["expr"])
            if "for" in rule:
                rule["for"] = _HOLDS_FOR
    return yaml.safe_dump(content)


@dataclass(frozen=True)
class Alerting:
    """What Prometheus says of the processes."""

    prometheus: Prometheus
    processes: int

    async def firing(self) -> list[Alert]:
        """Return the alerts that fire now."""
        return [alert for alert in await self.prometheus.alerts() if alert.state == "firing"]

    async def until_all_is_well(self) -> None:
        """Wait until every process is scraped, every rule evaluated, and none fires or is about to.

        On a machine at rest this is so at once; on a busy one a scrape may be late.
        """

        async def look() -> tuple[float, dict[str, str], list[Alert]]:
            seen = await self.prometheus.query("count(up == 1)")
            scraped = seen[0].value if seen else 0
            return (
                scraped,
                await self.prometheus.unhealthy_rules(),
                await self.prometheus.alerts(),
            )

        await eventually(look, lambda seen: seen == (self.processes, {}, []), seconds=_SECONDS)

    async def until_firing(self, name: str, **labels: str) -> Alert:
        """Wait until this alert fires with these labels, and return it."""

        async def look() -> list[Alert]:
            return await self.firing()

        def found(seen: list[Alert]) -> list[Alert]:
            return [a for a in seen if a.name == name and a.labels.items() >= labels.items()]

        return found(await eventually(look, found, seconds=_SECONDS))[0]


@contextlib.asynccontextmanager
async def alerting(
    programs: Binaries, running: Running, folder: Path, *processes: str
) -> AsyncIterator[Alerting]:
    """Start a Prometheus that scrapes these processes, and wait until all is well."""
    file = folder / "rules.yaml"
    file.write_text(shortened())
    urls = {name: running.processes.metrics_url(name) for name in processes}
    wanted = configuration(
        urls,
        namespace=running.namespace,
        rules=[file],
        scrape_seconds=_SCRAPE_SECONDS,
        evaluation_seconds=_SCRAPE_SECONDS,
    )
    prometheus = Prometheus(programs, wanted, folder, folder / "prometheus.log")
    try:
        await prometheus.start()
        started = Alerting(prometheus, len(urls))
        await started.until_all_is_well()
        yield started
    finally:
        await prometheus.stop()
