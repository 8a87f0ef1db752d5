"""The metrics of a process, as a monitoring system reads them."""

from dataclasses import dataclass
from typing import Self

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from tests.support.running import Running


@dataclass(frozen=True)
class Scrape:
    """One answer of a process."""

    text: str
    samples: dict[tuple[str, frozenset[tuple[str, str]]], float]

    @classmethod
    async def at(cls, url: str) -> Self:
        """Ask; anything but metrics is an error."""
        async with aiohttp.ClientSession() as session, session.get(url) as answer:
            text = await answer.text()
            assert answer.status == 200, (answer.status, text)
            assert answer.content_type == "text/plain"
        families = text_string_to_metric_families(text)
        return cls(
            text,
            {
                (sample.name, frozenset(sample.labels.items())): sample.value
                for family in families
                for sample in family.samples
            },
        )

    def of(self, name: str, /, **labels: str) -> float:
        """Return the sum of all samples of this name that have these labels; 0 without one."""
        return sum(
            value
            for (each, its), value in self.samples.items()
            if each == name and its >= labels.items()
        )

    def has(self, name: str, /, **labels: str) -> bool:
        """Whether there is such a sample."""
        return any(each == name and its >= labels.items() for each, its in self.samples)

    def names(self) -> set[str]:
        """Return the names of all samples."""
        return {name for name, _ in self.samples}


async def scrape(running: Running, process: str) -> Scrape:
    """Return the metrics of `server`, `logs`, `controller` or `envoy`."""
    return await Scrape.at(running.processes.metrics_url(process))
