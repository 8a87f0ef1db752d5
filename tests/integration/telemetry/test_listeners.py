"""The ports of metrics: on loopback, for metrics alone, and a taken one is said in one line."""

import os
import socket
import sys
from asyncio import create_subprocess_exec, subprocess
from pathlib import Path

import aiohttp
import pytest

from deploy.local.go.build import Binaries
from deploy.local.processes.ports import LOOPBACK, free_port
from deploy.local.services import REPOSITORY, Options, Services
from tests.conftest import StartServices
from tests.support.running import Running, Wanted
from tests.support.scrape import Scrape, scrape
from tests.support.waiting import eventually

PROCESSES = ("server", "controller", "envoy")
IN_USE = ", port %d: Address already in use"
NOT_OURS = ":%d: the port is in use, or the address is not this machine's"


def listening(pid: int) -> set[tuple[str, int]]:
    """The addresses and ports, in hexadecimal as /proc has them, that a process listens on."""
    sockets = set()
    for file in Path(f"/proc/{pid}/fd").iterdir():
        try:
            target = os.readlink(file)
        except FileNotFoundError:
            continue
        if target.startswith("socket:["):
            sockets.add(target[8:-1])
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            _, local, _, state, *rest = line.split()
            if state == "0A" and rest[5] in sockets:
                address, port = local.split(":")
                found.add((address, int(port, 16)))
    return found


@pytest.mark.parametrize("process", PROCESSES)
async def test_metrics_are_on_loopback(shared_services: Running, process: str) -> None:
    services = shared_services.processes
    pid = services.child(process).pid
    assert pid is not None
    port = services.options.metrics_ports[process]
    assert [address for address, each in listening(pid) if each == port] == ["0100007F"]


@pytest.mark.parametrize("process", PROCESSES)
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/stats"),
        ("GET", "/config_dump"),
        ("GET", "/healthz"),
        ("GET", "/metrics/"),
        ("GET", "/stats/prometheus/"),
        ("GET", "/stats/prometheus?filter=x"),
        ("POST", "/quitquitquit"),
    ],
)
async def test_nothing_else_is_there(
    shared_services: Running, process: str, method: str, path: str
) -> None:
    port = shared_services.processes.options.metrics_ports[process]
    url = f"http://{LOOPBACK}:{port}{path}"
    async with aiohttp.ClientSession() as session, session.request(method, url) as answer:
        assert answer.status == 404


@pytest.mark.parametrize("process", PROCESSES)
async def test_metrics_are_read_and_not_written(shared_services: Running, process: str) -> None:
    url = shared_services.processes.metrics_url(process)
    async with aiohttp.ClientSession() as session, session.post(url) as answer:
        assert answer.status in (404, 405)
    await scrape(shared_services, process)


@pytest.mark.parametrize("process", ["server", "controller"])
async def test_promtool_finds_nothing_wrong_with_the_metrics(
    shared_services: Running, programs_of_prometheus: Binaries, process: str
) -> None:
    told = await scrape(shared_services, process)
    promtool = await create_subprocess_exec(
        *(programs_of_prometheus["promtool"], "check", "metrics"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    said, _ = await promtool.communicate(told.text.encode())
    assert (promtool.returncode, said.decode()) == (0, "")


async def test_envoy_says_whether_it_is_ready(shared_services: Running) -> None:
    port = shared_services.processes.options.metrics_ports["envoy"]
    url = f"http://{LOOPBACK}:{port}/ready"
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        assert (answer.status, await answer.text()) == (200, "LIVE\n")
        assert "server" not in answer.headers


async def test_envoy_counts_calls(shared_services: Running) -> None:
    before = await scrape(shared_services, "envoy")
    async with shared_services.rest.get("/api/v1/scenarios/run/nothing") as answer:
        assert answer.status == 404
    # The parser adds _total to the name of every counter.
    name, labels = "envoy_http_downstream_rq_xx_total", {"envoy_http_conn_manager_prefix": "edge"}

    async def refused() -> float:
        seen = await scrape(shared_services, "envoy")
        return seen.of(name, envoy_response_code_class="4", **labels)

    earlier = before.of(name, envoy_response_code_class="4", **labels)
    await eventually(refused, lambda now: now > earlier)
    assert before.has("envoy_http_downstream_rq_time_count", **labels)
    assert before.has("envoy_overload_envoy_resource_monitors_fixed_heap_pressure")
    assert len(before.samples) < 1_500
    assert not any(name.startswith("envoy_listener_admin") for name in before.names())


async def test_the_log_reader_has_metrics_of_its_own(start_services: StartServices) -> None:
    started = await start_services(Wanted(controller=False, envoy=False, log_reader=True))
    logs, server = await scrape(started, "logs"), await scrape(started, "server")
    method = {"grpc_method": "StreamLogs", "grpc_type": "server_stream"}
    assert logs.has("grpc_server_started_total", **method)
    assert not server.has("grpc_server_started_total", **method)


@pytest.mark.parametrize(
    ("program", "module", "setting", "fault"),
    [
        ("server", "krkn_grpc.server", "KRKN_SERVER_METRICS_PORT", IN_USE),
        ("server", "krkn_grpc.server", "KRKN_SERVER_HEALTH_PORT", NOT_OURS),
        ("server", "krkn_grpc.server", "KRKN_GRPC_PORT", NOT_OURS),
        ("controller", "controller", "KRKN_CONTROLLER_METRICS_PORT", IN_USE),
        ("controller", "controller", "KRKN_HEALTH_PORT", IN_USE),
    ],
)
async def test_a_taken_port_ends_the_process_with_one_line(
    shared_services: Running, program: str, module: str, setting: str, fault: str
) -> None:
    environment = shared_services.processes.child(program).program.environment
    with socket.create_server((LOOPBACK, 0)) as taken:
        port = taken.getsockname()[1]
        ports = {
            "KRKN_GRPC_PORT": "0",
            "KRKN_SERVER_HEALTH_PORT": "0",
            "KRKN_SERVER_METRICS_PORT": "0",
            "KRKN_CONTROLLER_METRICS_PORT": "0",
            setting: str(port),
        }
        process = await create_subprocess_exec(
            *(sys.executable, "-m", module),
            cwd=REPOSITORY,
            env={**os.environ, **environment, **ports},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        said, _ = await process.communicate()
    assert process.returncode == 1
    *logged, line = said.decode().splitlines()
    assert line == f"krkn-grpc {program}: {setting}: cannot listen on {LOOPBACK}{fault % port}"
    assert "crashed" not in "".join(logged)


async def test_a_port_of_zero_is_no_port(shared_services: Running, tmp_path: Path) -> None:
    options = Options(
        namespace=shared_services.namespace,
        grpc_port=free_port(),
        rest_port=free_port(),
        with_controller=False,
        environment={"KRKN_AUTH": "none", "KRKN_SERVER_METRICS_PORT": "0"},
    )
    services = Services(shared_services.cluster, options, tmp_path, tmp_path)
    try:
        await services.start()
        with pytest.raises(aiohttp.ClientConnectionError):
            await Scrape.at(services.metrics_url("server"))
    finally:
        await services.stop(5.0)
