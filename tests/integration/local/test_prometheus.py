"""The Prometheus of this machine reads metrics, evaluates rules and is asked for both."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
import yaml
from aiohttp import web

from deploy.local.errors import StartError
from deploy.local.go.build import Binaries
from deploy.local.processes.ports import LOOPBACK
from deploy.local.prometheus.configuration import configuration
from deploy.local.prometheus.server import Alert, Prometheus, QueryError, Sample
from tests.support.waiting import eventually

RULES = {
    "groups": [
        {
            "name": "a group",
            "rules": [
                {"alert": "Hot", "expr": "degrees > 30", "annotations": {"summary": "It is hot."}},
                {"alert": "Odd", "expr": "degrees * on (nothing) two_of_them"},
            ],
        }
    ]
}


@pytest_asyncio.fixture
async def metrics() -> AsyncIterator[str]:
    """The URL of metrics that do not change."""

    async def scrape(request: web.Request) -> web.Response:
        return web.Response(text='degrees 31\ntwo_of_them{a="1"} 1\ntwo_of_them{a="2"} 2\n')

    application = web.Application()
    application.router.add_get("/metrics", scrape)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, LOOPBACK, 0).start()
    try:
        yield f"http://{LOOPBACK}:{runner.addresses[0][1]}/metrics"
    finally:
        await runner.cleanup()


async def test_it_reads_metrics_and_evaluates_rules(
    programs_of_prometheus: Binaries, metrics: str, tmp_path: Path
) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text(yaml.safe_dump(RULES))
    wanted = configuration(
        {"weather": metrics},
        namespace="here",
        rules=[rules],
        scrape_seconds=0.2,
        evaluation_seconds=0.2,
    )
    server = Prometheus(programs_of_prometheus, wanted, tmp_path, tmp_path / "log")
    try:
        await server.start()
        [alert] = await eventually(server.alerts)
        where = {"namespace": "here", "pod": "weather", "container": "weather", "job": "weather"}
        instance = {"instance": metrics.removeprefix("http://").removesuffix("/metrics")}
        labels = {**where, **instance}
        assert alert == Alert("Hot", labels, {"summary": "It is hot."}, "firing")
        assert await server.query("degrees") == [Sample({"__name__": "degrees", **labels}, 31)]
        assert await server.query("1 + 1") == [Sample({}, 2)]
        assert await server.query("nothing") == []
        assert list(await eventually(server.unhealthy_rules)) == ["Odd"]
        with pytest.raises(QueryError, match="unclosed left parenthesis"):
            await server.query("sum(degrees")
    finally:
        await server.stop()
    assert not server.child.is_running


async def test_a_wrong_configuration_is_said(
    programs_of_prometheus: Binaries, tmp_path: Path
) -> None:
    server = Prometheus(programs_of_prometheus, {"no": "such"}, tmp_path, tmp_path / "log")
    with pytest.raises(StartError, match="field no not found"):
        await server.start()
