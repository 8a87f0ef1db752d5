"""A Prometheus scrapes all processes, and has what the dashboard asks it for."""

from pathlib import Path

from deploy.dashboard.model import Query, Window
from deploy.dashboard.rows import ROWS
from deploy.dashboard.series import lines
from deploy.local.go.module import Binaries
from deploy.local.prometheus.configuration import configuration
from deploy.local.prometheus.server import Prometheus
from tests.conftest import StartServices
from tests.support import promql
from tests.support.running import Wanted
from tests.support.waiting import eventually

QUERIES = [query for row in ROWS for panel in row.panels for query in panel.queries]

PANELS = {panel.title: panel for row in ROWS for panel in row.panels}
PROCESSES = {"server", "logs", "controller", "envoy"}

# Series that come with the first event that they count, or with traces.
LATER = {
    "envoy_cluster_upstream_rq_xx",
    "envoy_listener_ssl_certificate_expiration_unix_time_seconds",  # with TLS
    "krkn_job_duration_seconds_bucket",
    "krkn_jobs_finished_total",
    "krkn_jobs_pending",
    "krkn_review_seconds_bucket",
    "krkn_spans_dropped_total",
    "krkn_sweep_removed_total",
    "krkn_targets",
    "krkn_watch_restarts_total",
}


def of(namespace: str, query: Query) -> str:
    """The expression, as the dashboard asks it for one namespace."""
    text = query.expression.replace("$__rate_interval", "5m")
    return text.replace("$namespace", namespace).replace("$job", ".*")


async def test_the_dashboard_is_answered(
    start_services: StartServices, programs_of_prometheus: Binaries, tmp_path: Path
) -> None:
    running = await start_services(Wanted(log_reader=True))
    urls = running.processes.metrics_urls
    assert urls.keys() == PROCESSES
    wanted = configuration(urls, namespace=running.namespace, scrape_seconds=0.5)
    prometheus = Prometheus(programs_of_prometheus, wanted, tmp_path, tmp_path / "prometheus.log")
    try:
        await prometheus.start()
        up = await eventually(lambda: prometheus.query("up == 1"), lambda seen: len(seen) == 4)
        assert {sample.labels["container"] for sample in up} == PROCESSES

        # Each expression is one that Prometheus takes, of metrics that it has.
        for query in QUERIES:
            await prometheus.query(of(running.namespace, query))
        asked = {s.metric for query in QUERIES for s in promql.selectors(query.expression)}
        there = f'count by (__name__) ({{namespace="{running.namespace}"}})'

        async def missing() -> set[str]:
            return asked - {sample.labels["__name__"] for sample in await prometheus.query(there)}

        await eventually(missing, lambda names: names <= LATER)

        [leaders] = PANELS["Leaders"].queries
        [sample] = await eventually(
            lambda: prometheus.query(of(running.namespace, leaders)),
            lambda seen: [sample.value for sample in seen] == [1],
        )
        assert sample.labels == {"namespace": running.namespace}

        [now] = await prometheus.query("time()")
        memory = lines(prometheus.url, PANELS["Memory"], Window(now.value - 60, now.value + 1, 1))
        # Each process is its own pod here.
        assert {line.name for line in memory} == {
            f"{name} {name}" for name in PROCESSES - {"envoy"}
        }
        assert all(value > 2**20 for line in memory for _, value in line.points)
    finally:
        await prometheus.stop()
