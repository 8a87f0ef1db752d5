"""A Prometheus on loopback, for as long as it is needed.

prometheus = Prometheus(prometheus_programs(progress), configuration(...), folder, log)
await prometheus.start()
... prometheus.url, await prometheus.query("up"), await prometheus.alerts() ...
await prometheus.stop()
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import aiohttp
import yaml

from deploy.local.go.module import Binaries
from deploy.local.processes.children import Child, Program
from deploy.local.processes.ports import LOOPBACK, free_port
from deploy.local.processes.readiness import until
from deploy.local.prometheus.configuration import Configuration
from deploy.local.prometheus.programs import pages

_ANSWER_SECONDS = aiohttp.ClientTimeout(total=10)


class QueryError(Exception):
    """Prometheus refused a query; the message is its own."""


@dataclass(frozen=True)
class Sample:
    """One series of the answer to a query, without its name if the query has changed its value."""

    labels: Mapping[str, str]
    value: float


@dataclass(frozen=True)
class Alert:
    """One alert, by its labels; `pending` has not held for as long as its rule wants."""

    name: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    state: Literal["pending", "firing"]


class Prometheus:
    """One Prometheus. `folder` holds its configuration and its data, `log` what it says."""

    def __init__(
        self,
        programs: Binaries,
        configured: Configuration,
        folder: Path,
        log: Path,
        *,
        port: int | None = None,
    ) -> None:
        """Do not start it yet; without a `port` it takes a free one."""
        self.url = f"http://{LOOPBACK}:{port or free_port()}"
        self._configured = configured
        self._file = folder / "prometheus.yml"
        argv = [
            str(programs["prometheus"]),
            f"--config.file={self._file}",
            f"--storage.tsdb.path={folder / 'prometheus-data'}",
            f"--web.listen-address={self.url.removeprefix('http://')}",
            "--log.level=warn",
        ]
        if (folder_of_pages := pages(programs)) is not None:
            argv.append(f"--web.local-assets={folder_of_pages}")
        self.child = Child(Program("prometheus", argv), log)

    async def start(self) -> None:
        """Start it and wait until it answers; raises StartError."""
        self._file.write_text(yaml.safe_dump(dict(self._configured), sort_keys=False))
        self.child.start()
        await until(self._is_ready, self.child)

    async def stop(self) -> None:
        """Stop it, if it runs."""
        await self.child.stop()

    async def query(self, expression: str) -> list[Sample]:
        """Return the series of a PromQL expression now; raises QueryError.

        The answer is a vector or a scalar, which has no labels.
        """
        data = await self._ask("/api/v1/query", query=expression)
        if data["resultType"] == "scalar":
            return [Sample({}, float(data["result"][1]))]
        return [Sample(each["metric"], float(each["value"][1])) for each in data["result"]]

    async def alerts(self) -> list[Alert]:
        """Return the alerts that are pending or fire now."""
        data = await self._ask("/api/v1/alerts")
        return [
            Alert(
                each["labels"]["alertname"],
                {name: text for name, text in each["labels"].items() if name != "alertname"},
                each["annotations"],
                each["state"],
            )
            for each in data["alerts"]
        ]

    async def unhealthy_rules(self) -> dict[str, str]:
        """Return the errors of the rules whose last evaluation failed, by their names."""
        data = await self._ask("/api/v1/rules")
        rules = (rule for group in data["groups"] for rule in group["rules"])
        return {rule["name"]: rule["lastError"] for rule in rules if rule["health"] == "err"}

    async def _ask(self, path: str, **parameters: str) -> Any:
        async with (
            aiohttp.ClientSession(timeout=_ANSWER_SECONDS) as session,
            session.get(self.url + path, params=parameters) as answer,
        ):
            body = await answer.json()
        if body["status"] != "success":
            raise QueryError(body["error"])
        return body["data"]

    async def _is_ready(self) -> bool:
        try:
            async with (
                aiohttp.ClientSession(timeout=_ANSWER_SECONDS) as session,
                session.get(f"{self.url}/-/ready") as answer,
            ):
                return answer.status == 200
        except (aiohttp.ClientError, TimeoutError):
            return False
