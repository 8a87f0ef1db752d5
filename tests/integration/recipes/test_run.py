"""The shell part of the CI recipes, with the command, against the whole service through Envoy."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest
import pytest_asyncio
from junitparser import JUnitXml

from deploy.local.services import REPOSITORY
from tests.support.programs import output_of
from tests.support.recipes import SCRIPT
from tests.support.requests import IMAGE, unused_name
from tests.support.rest import CHAOS_RUNS, Rest
from tests.support.running import Running
from tests.support.waiting import eventually


class Pipeline:
    """A pipeline's environment: its targets and its own label have the same value."""

    def __init__(self, services: Running, folder: Path, name: str) -> None:
        self.name = name
        self.reports = folder / "reports"
        command = folder / "krkn-grpc"
        command.write_text(f'#!/bin/sh\nexec {sys.executable} -m krkn_grpc.cli "$@"\n')
        command.chmod(0o755)
        self._environment = {
            "PATH": f"{folder}:{os.environ['PATH']}",
            "PYTHONPATH": str(REPOSITORY),
            "KRKN_SERVER": services.processes.rest_url,
            "SCENARIO": "pod-scenarios",
            "SELECTOR": f"pipeline={name}",
            "PIPELINE": name,
            "TIMEOUT_SECONDS": "600",
            "REPORTS": str(self.reports),
        }

    async def start(self, image: str, **environment: str) -> asyncio.subprocess.Process:
        """Start the script."""
        return await asyncio.create_subprocess_exec(
            *("sh", SCRIPT),
            env=self._environment | {"IMAGE": image} | environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )

    async def ended(self, process: asyncio.subprocess.Process) -> tuple[int | None, str]:
        """Wait for its end; return its exit status and what it printed."""
        out, _ = await output_of(process)
        return process.returncode, out.decode()


@pytest.fixture
def rest(shared_services: Running) -> Rest:
    return Rest(shared_services.rest)


@pytest_asyncio.fixture
async def pipeline(shared_services: Running, rest: Rest, tmp_path: Path) -> Pipeline:
    name = unused_name()
    for number in range(2):
        await rest.register(clusterName=f"{name}-{number}", labels={"pipeline": name})
    return Pipeline(shared_services, tmp_path, name)


async def the_run(rest: Rest, pipeline: Pipeline) -> str | None:
    reply = await rest.get(f"{CHAOS_RUNS}?labelSelector=pipeline%3D{pipeline.name}")
    runs = reply.body["runs"]
    return runs[0]["runId"] if runs else None


@pytest.mark.parametrize(
    ("image", "status", "became"),
    [(IMAGE, 0, "Succeeded"), (f"{IMAGE}-exit-3", 1, "Failed"), ("", 0, "Succeeded")],
    ids=["it succeeds", "it fails", "the image of the catalogue"],
)
async def test_it_ends_as_the_run_does(
    pipeline: Pipeline, rest: Rest, image: str, status: int, became: str
) -> None:
    code, printed = await pipeline.ended(await pipeline.start(image))
    assert code == status, printed
    run_id = await the_run(rest, pipeline)
    assert run_id is not None
    run = await rest.get_run(run_id)
    assert (run["status"], run["counts"]["total"]) == (became, 2)
    [suite] = JUnitXml.fromstring((pipeline.reports / "chaos.xml").read_bytes())
    assert (suite.tests, suite.failures) == (2, 2 * status)
    for name in ("chaos.html", "chaos.md"):
        assert run_id in (pipeline.reports / name).read_text()


async def test_without_a_folder_there_are_no_reports(pipeline: Pipeline, rest: Rest) -> None:
    code, printed = await pipeline.ended(await pipeline.start(IMAGE, REPORTS=""))
    assert code == 0, printed
    assert not pipeline.reports.exists()


async def test_a_pipeline_that_is_cancelled_stops_its_run(pipeline: Pipeline, rest: Rest) -> None:
    process = await pipeline.start(f"{IMAGE}-never-ends")
    run_id = await eventually(lambda: the_run(rest, pipeline), lambda run: run is not None)
    process.send_signal(signal.SIGTERM)
    code, printed = await pipeline.ended(process)
    assert code == 143, printed
    assert run_id is not None
    await rest.run_when(run_id, "Stopped")


async def test_without_a_target_it_fails(pipeline: Pipeline, rest: Rest) -> None:
    code, printed = await pipeline.ended(await pipeline.start(IMAGE, SELECTOR="pipeline=nobody"))
    assert code not in (0, None), printed
    assert await the_run(rest, pipeline) is None
    assert os.listdir(pipeline.reports) == []


async def test_a_server_that_refuses_the_token_fails_it(pipeline: Pipeline) -> None:
    code, printed = await pipeline.ended(await pipeline.start(IMAGE, KRKN_TOKEN="no token"))
    assert code not in (0, None), printed
    assert "KRKN_TOKEN" in printed
