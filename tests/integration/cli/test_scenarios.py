"""krkn-grpc scenarios, and run by a scenario's name, against the real services."""

import asyncio
import base64
import contextlib
import os
import pty
import sys
from pathlib import Path

import pytest

from deploy.local.services import REPOSITORY
from tests.support.command import Command
from tests.support.custom_objects import JOBS, collection
from tests.support.requests import IMAGE, canary, unused_name
from tests.support.rest import RUNS, Rest
from tests.support.running import Running


async def test_the_list(cli: Command) -> None:
    listed = await cli("scenarios", "list")
    assert (listed.code, listed.err) == (0, "")
    header, *rows = listed.out.splitlines()
    assert header.split() == ["NAME", "TITLE"]
    names = [row.split()[0] for row in rows]
    assert names == sorted(names)
    assert "pod-scenarios" in names
    as_json = (await cli("scenarios", "list", "-o", "json")).json
    assert [each["name"] for each in as_json["scenarios"]] == names


async def test_one_is_shown_with_its_parameters(cli: Command, rest: Rest) -> None:
    shown = await cli("scenarios", "show", "pod-scenarios")
    assert (shown.code, shown.err) == (0, "")
    lines = [line.strip() for line in shown.out.splitlines()]
    assert lines[0].startswith("pod-scenarios: ")
    assert "Image: quay.io/krkn-chaos/krkn-hub:pod-scenarios" in lines
    at = lines.index(next(line for line in lines if line.startswith("EXECUTION ")))
    assert lines[at].split()[:2] == ["EXECUTION", "enum"]
    assert lines[at + 1 : at + 3] == ["default: serial", "one of: serial, parallel"]
    as_json = await cli("scenarios", "show", "pod-scenarios", "-o", "json")
    assert as_json.json == (await rest.get("/api/v1/scenarios/detail/pod-scenarios")).body


async def test_the_global_parameters_are_shown_on_request(cli: Command, rest: Rest) -> None:
    shown = await cli("scenarios", "show", "pod-scenarios", "--globals")
    assert "\nWAIT_DURATION " in shown.out
    assert "kept as a secret" in shown.out
    assert "DISRUPTION_COUNT" not in shown.out
    as_json = await cli("scenarios", "show", "pod-scenarios", "--globals", "-o", "json")
    assert as_json.json == (await rest.get("/api/v1/scenarios/globals/pod-scenarios")).body


async def test_a_misspelt_name_is_guessed(cli: Command) -> None:
    wrong = await cli("scenarios", "show", "pod-scenario")
    assert (wrong.code, wrong.out) == (3, "")
    assert wrong.line == "Error: there is no such scenario; did you mean pod-scenarios?"


@pytest.mark.parametrize(
    ("arguments", "path"),
    [
        (["list"], ""),
        (["show", "node-scenarios"], "/detail/node-scenarios"),
        (["show", "pod-scenarios", "--globals"], "/globals/pod-scenarios"),
    ],
)
async def test_it_is_readable_on_a_terminal_of_80_columns(
    cli: Command, rest: Rest, arguments: list[str], path: str
) -> None:
    lines = await on_a_terminal(cli.server, "scenarios", *arguments)
    assert max(len(line.rstrip()) for line in lines) <= 80
    shown = (await rest.get(f"/api/v1/scenarios{path}")).body
    names = (
        [each["variable"] for each in shown["fields"]]
        if path
        else [each["name"] for each in shown["scenarios"]]
    )
    # Each is in one piece, at the beginning of a line.
    assert set(names) <= {line.split(" ")[0] for line in lines}


async def on_a_terminal(server: str, *arguments: str) -> list[str]:
    """The lines that the command prints on a terminal of 80 columns."""
    ours, its_own = pty.openpty()
    environment = {"KRKN_SERVER": server, "COLUMNS": "80", "TERM": "dumb"}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "krkn_grpc.cli", *arguments),
        cwd=REPOSITORY,
        env={**os.environ, **environment},
        stdout=its_own,
    )
    os.close(its_own)
    read = await asyncio.to_thread(all_of, ours)
    assert await process.wait() == 0
    return read.replace("\r", "").splitlines()


def all_of(terminal: int) -> str:
    """What is written to a terminal until nobody has it open."""
    read = b""
    with contextlib.suppress(OSError):  # So a terminal says that it is closed.
        while more := os.read(terminal, 65_536):
            read += more
    os.close(terminal)
    return read.decode()


async def test_a_run_by_its_name_alone(cli: Command, rest: Rest, shared_services: Running) -> None:
    target = await rest.register()
    ran = await cli("run", "pod-scenarios", "-t", target, "-o", "json")
    assert ran.code == 0, ran
    spec = await spec_of(shared_services, ran.json["jobs"][0]["jobId"])
    assert spec["scenarioImage"] == "quay.io/krkn-chaos/krkn-hub:pod-scenarios"


@pytest.mark.parametrize("arguments", [[], ["pod-scenarios", "--scenario", "pod-scenarios"]])
async def test_a_run_has_one_name(cli: Command, rest: Rest, arguments: list[str]) -> None:
    wrong = await cli("run", *arguments, "-t", await rest.register())
    assert wrong.code == 2
    assert "give the name of one scenario" in wrong.err


async def test_parameters_become_variables_secrets_and_files(
    cli: Command, rest: Rest, shared_services: Running, tmp_path: Path
) -> None:
    target, secret, file = await rest.register(), canary(), tmp_path / "mounted"
    file.write_bytes(b"\xffcontent")
    command = cli.with_environment(SECRET_STRING=secret)
    ran = await command(
        *("run", "dummy-scenario", "--image", f"{IMAGE}-never-starts", "-t", target, "-o", "json"),
        *("--param", "duration=3", "-p", "EXIT_STATUS=0", "-p", "secret_string"),
        *("-p", f"mounted_file={file}", "-e", "OTHER=x", "-p", "wait-duration=2"),
    )
    assert ran.code == 0, ran
    job_id = ran.json["jobs"][0]["jobId"]
    spec = await spec_of(shared_services, job_id)
    assert spec["environment"] == {
        "END": "3",
        "EXIT_STATUS": "0",
        "OTHER": "x",
        "WAIT_DURATION": "2",
    }
    assert spec["secretEnvironment"] == ["SECRET_STRING"]
    assert spec["files"] == [{"name": "mounted", "mountPath": "/var/home/mounted_file"}]
    path = f"/api/v1/namespaces/{shared_services.namespace}/secrets/krkn-job-{job_id}-inputs"
    data = (await shared_services.cluster.request("GET", path))["data"]
    assert {base64.b64decode(text) for text in data.values()} == {b"\xffcontent", secret.encode()}


async def test_a_file_in_base64(
    cli: Command, rest: Rest, shared_services: Running, tmp_path: Path
) -> None:
    target, plan = await rest.register(), tmp_path / "plan.yaml"
    plan.write_text("plan: 1")
    missing = await cli("run", "service-hijacking", "-t", target)
    assert (missing.code, missing.out) == (3, "")
    assert missing.line == "Error: environment[SCENARIO_BASE64]: is required by this scenario"
    ran = await cli(
        *("run", "service-hijacking", "-t", target, "-p", f"SCENARIO_BASE64={plan}", "-o", "json")
    )
    assert ran.code == 0, ran
    spec = await spec_of(shared_services, ran.json["jobs"][0]["jobId"])
    encoded = base64.b64encode(b"plan: 1").decode()
    assert spec["environment"] == {"SCENARIO_BASE64": encoded}


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["-p", "namespac=x"], 2, "did you mean"),
        (["-p", "zzz=x"], 2, "pod-scenarios has no parameter 'zzz'"),
        (["-p", "NAMESPACE=x", "-p", "namespace=y"], 2, "NAMESPACE is given twice"),
        (["-p", "NAMESPACE=x", "-e", "NAMESPACE=y"], 2, "NAMESPACE is given twice"),
        (["-p", "NAMESPACE"], 2, "NAMESPACE is not set in the environment"),
        (["-p", "resiliency-file=/nonexistent"], 2, "/nonexistent: No such file"),
        (["-p", "disruption-count=many"], 3, "environment[DISRUPTION_COUNT]: must be a number"),
        (["-e", "NAMESPCE=x"], 3, "did you mean NAMESPACE?"),
    ],
)
async def test_wrong_parameters_start_nothing(
    cli: Command, rest: Rest, arguments: list[str], code: int, said: str
) -> None:
    target = await rest.register()
    wrong = await cli("run", "pod-scenarios", "-t", target, *arguments)
    assert (wrong.code, wrong.out) == (code, "")
    assert said in wrong.err
    assert (await rest.get(f"{RUNS}?targetUUID={target}")).body["jobs"] == []


async def test_parameters_need_an_entry(cli: Command, rest: Rest) -> None:
    target = await rest.register()
    wrong = await cli("run", "mine", "--image", IMAGE, "-t", target, "-p", "A=b")
    assert wrong.code == 2
    assert "the catalogue has no scenario 'mine': give its variables with --env" in wrong.err


async def completed(cli: Command, line: str) -> list[str]:
    """What bash offers for the last word of a line."""
    words = line.split(" ")
    command = cli.with_environment(
        _KRKN_GRPC_COMPLETE="complete_bash", COMP_WORDS=line, COMP_CWORD=str(len(words) - 1)
    )
    code = (
        "import sys; sys.argv = ['krkn-grpc']; "
        "from krkn_grpc.cli.app import app; app(prog_name='krkn-grpc')"
    )
    async with command.start_shell(f'-c "{code}"') as started:
        ended = await started.ended()
    assert ended.err == ""
    return ended.out.split()


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("krkn-grpc run pod-s", ["pod-scenarios"]),
        ("krkn-grpc run --scenario node-scenarios-", ["node-scenarios-bm"]),
        ("krkn-grpc scenarios show vmi", ["vmi-network", "vmi-network-filter"]),
        ("krkn-grpc run pod-scenarios -e NAME", ["NAMESPACE=", "NAME_PATTERN="]),
        ("krkn-grpc run pod-scenarios -e name", []),
        ("krkn-grpc run -t a pod-scenarios --param name", ["namespace=", "name-pattern="]),
        ("krkn-grpc run --scenario pod-scenarios -p CERBERUS_U", ["CERBERUS_URL="]),
        ("krkn-grpc run nothing -e NAME", []),
        ("krkn-grpc --server 127.0.0.1:1 run pod-s", []),
        ("krkn-grpc jobs list --status St", ["Stopping", "Stopped"]),
        ("krkn-grpc runs list --status Part", ["PartiallyFailed"]),
    ],
)
async def test_what_a_shell_completes(cli: Command, line: str, offered: list[str]) -> None:
    assert await completed(cli, line) == offered


async def test_a_shell_completes_targets_runs_and_jobs(cli: Command, rest: Rest) -> None:
    name = unused_name()
    run_id = await rest.run_of(
        await rest.register(clusterName=name), scenarioImage=f"{IMAGE}-never-starts"
    )
    end = run_id[-6:]
    assert await completed(cli, f"krkn-grpc run pod-scenarios -t {name[:-2]}") == [name]
    assert await completed(cli, f"krkn-grpc runs get {end}") == [end]
    assert await completed(cli, f"krkn-grpc jobs list --run {run_id[:20]}") == [run_id]
    assert await completed(cli, f"krkn-grpc stop {end}") == [f"{end}/{name}"]


async def spec_of(services: Running, job_id: str) -> dict[str, object]:
    """The spec of a job's resource."""
    path = f"{collection(JOBS, services.namespace)}/{job_id}"
    spec: dict[str, object] = (await services.cluster.request("GET", path))["spec"]
    return spec
