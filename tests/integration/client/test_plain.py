"""The plain client: in a script, in threads, interrupted; it has what the asyncio client has."""

import asyncio
import inspect
import os
import signal
import sys
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from deploy.local.services import REPOSITORY
from krkn_grpc.client import (
    JobStatus,
    NotFound,
    halts,
    jobs,
    krkn,
    plain,
    run,
    runs,
    scenarios,
    targets,
)
from krkn_grpc.client.plain import Krkn
from tests.support.requests import IMAGE
from tests.support.rest import Rest
from tests.support.running import Running

SCRIPT = """
import sys
from krkn_grpc.client.plain import Krkn

image, *targets = sys.argv[1:]
with Krkn() as krkn:
    run = krkn.run("pod-scenarios", targets, image=image)
    try:
        print(run.run_id, flush=True)
        for line in run.logs():
            print(line.text)
        print(run.wait().table())
    except KeyboardInterrupt:
        run.cancel()
        print("cancelled")
"""


async def script(server: str, *arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        # The process that runs the tests may ignore SIGINT, and so would it.
        *("env", "--default-signal=INT", sys.executable, "-c", SCRIPT, *arguments),
        cwd=REPOSITORY,
        env={**os.environ, "KRKN_SERVER": server},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def test_a_script(shared_services: Running) -> None:
    rest = Rest(shared_services.rest)
    target = await rest.register()
    process = await script(shared_services.processes.rest_url, f"{IMAGE}-lasts-0s", target)
    out, err = await process.communicate()
    assert (process.returncode, err) == (0, b"")
    [run_id, *lines] = out.decode().splitlines()
    assert (await rest.get_run(run_id))["counts"]["total"] == 1
    assert "Succeeded" in lines[-1]
    assert len(lines) > 2


async def test_control_c_reaches_the_script(shared_services: Running) -> None:
    rest = Rest(shared_services.rest)
    process = await script(
        shared_services.processes.rest_url, f"{IMAGE}-never-ends", await rest.register()
    )
    assert process.stdout is not None
    run_id = (await process.stdout.readline()).decode().strip()
    process.send_signal(signal.SIGINT)
    out, err = await process.communicate()
    assert (process.returncode, err) == (0, b"")
    assert out.decode().splitlines()[-1] == "cancelled"
    assert (await rest.run_when(run_id))["status"] == "Stopped"


async def test_threads_share_a_client(shared_services: Running) -> None:
    rest = Rest(shared_services.rest)
    registered = [await rest.register() for _ in range(4)]

    def work() -> None:
        with (
            Krkn(shared_services.processes.rest_url) as client,
            ThreadPoolExecutor(max_workers=4) as pool,
        ):

            def ended(target: str) -> JobStatus:
                [job] = client.run("pod-scenarios", [target], image=IMAGE).wait(timeout=60).jobs
                assert job.target_uuid == target
                return job.status

            assert set(pool.map(ended, registered)) == {JobStatus.SUCCEEDED}
            assert set(registered) <= {each.uuid for each in client.targets.list()}
            # The client's own iterators are arguments as any other.
            run = client.run("x", client.targets.list(), image=f"{IMAGE}-never-starts")
            run.cancel()
            # An iterator that is left early is closed, and others go on.
            for change in client.targets.watch():
                assert change.object.uuid
                break
            with pytest.raises(NotFound):
                client.jobs.get(str(uuid.uuid4()))
            with pytest.raises(TimeoutError):
                client.run("x", registered[:1], image=f"{IMAGE}-never-starts").wait(timeout=0.1)

    await asyncio.to_thread(work)


def test_the_client_is_not_called_by_itself() -> None:
    clients: list[Krkn] = []

    def token() -> str:
        return str(clients[0].targets.select())

    with Krkn("127.0.0.1:1", token=token) as client:
        clients.append(client)
        with pytest.raises(RuntimeError, match="by what the client itself calls"):
            client.targets.select()


@pytest.mark.parametrize(
    ("of", "twin"),
    [
        (krkn.Krkn, plain.Krkn),
        (run.Run, plain.Run),
        (targets.Targets, plain.Targets),
        (runs.Runs, plain.Runs),
        (jobs.Jobs, plain.Jobs),
        (scenarios.Scenarios, plain.Scenarios),
        (halts.Halts, plain.Halts),
    ],
)
def test_it_has_what_the_asyncio_client_has(of: type, twin: type) -> None:
    def public(kind: type) -> dict[str, str | None]:
        names = [name for name in vars(kind) if not name.startswith("_")]
        return {name: inspect.getdoc(inspect.getattr_static(kind, name)) for name in names}

    expected, found = public(of), public(twin)
    # These the asyncio client sets in __init__.
    attributes = {"run_id", "request_id", "message", "results"}
    assert {name: found[name] for name in found if name not in attributes} == expected
    if of is krkn.Krkn:
        assert inspect.signature(of) == inspect.signature(twin)
