"""Output that has no sign for a character: a pipe on Windows, a plain container.

Nothing is lost by it but that character: the table is there, JSON is exact, exit codes are right.
"""

import json

import pytest

from tests.support.command import Command, Ended
from tests.support.requests import IMAGE, unused_name
from tests.support.rest import Rest
from tests.support.running import Running

ENCODINGS = [{"PYTHONIOENCODING": "cp1252"}, {"PYTHONIOENCODING": "ascii:strict"}]
ENCODINGS += [{"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}]


@pytest.fixture(params=ENCODINGS, ids=["cp1252", "ascii", "POSIX"])
def elsewhere(request: pytest.FixtureRequest, shared_services: Running) -> Command:
    environment: dict[str, str] = request.param
    return Command(shared_services.processes.rest_url, environment)


async def ended(command: Command, *arguments: str) -> Ended:
    async with command.start(*arguments) as started:
        return await started.ended()


async def test_every_command_prints_what_it_can(elsewhere: Command, rest: Rest) -> None:
    name = f"東京 \N{ROCKET} {unused_name()}"
    shown = name.encode("ascii", "replace").decode()
    target = await rest.register(clusterName=name)

    listed = await ended(elsewhere, "targets", "list")
    assert (listed.code, shown in listed.out) == (0, True), listed
    one = await ended(elsewhere, "targets", "get", target)
    assert (one.code, shown in one.out) == (0, True), one
    for command in (["targets", "list"], ["targets", "get", target]):
        exact = await ended(elsewhere, *command, "-o", "json")
        assert name in str(json.loads(exact.out))
        assert exact.code == 0

    run = ["run", "-t", name, "--scenario", "süß", "--image", f"{IMAGE}-lasts-0s"]
    utf8 = elsewhere.with_environment(PYTHONUTF8="1", PYTHONIOENCODING="utf-8")
    by_uuid = ["run", "-t", target, *run[3:]]
    ran = await ended(elsewhere, *by_uuid)
    assert ran.code == 0
    run_id = ran.out.partition("(run ")[2].rstrip(")\n")
    job_id = (await rest.get_run(run_id))["targets"][0]["jobId"]
    waited = await ended(elsewhere, *by_uuid, "--wait", "--label", "a=b")
    assert waited.code == 0, waited
    jobs = await ended(elsewhere, "jobs", "list", "--target", target)
    assert (jobs.code, shown in jobs.out) == (0, True), jobs
    assert (await ended(elsewhere, "jobs", "get", job_id)).code == 0
    assert (await ended(elsewhere, "jobs", "get", job_id, "-o", "json")).code == 0
    assert (await ended(elsewhere, "stop", job_id)).code == 0
    assert (await ended(elsewhere, "logs", job_id)).code == 0
    # A name that does not come through as it was typed is wrong usage, not the end of the command.
    assert (await ended(utf8, *run)).code == 0


async def test_errors_are_one_line_all_the_same(elsewhere: Command, rest: Rest) -> None:
    name = f"東京 {unused_name()}"
    target = await rest.register(clusterName=name)
    environment = elsewhere.with_environment(KRKN_TARGET_TOKEN="x")
    add = ["targets", "add", "--name", name, "--api-url", "https://203.0.113.77:6443"]
    for arguments, code in (
        (add, 3),
        (["targets", "get", "東京 \udcff"], 3),
        (["jobs", "list", "--scenario", "\udcff"], 2),
        (["run", "-t", target, "--scenario", "s", "--image", "\udcff"], 2),
    ):
        failed = await ended(environment, *arguments)
        assert failed.code == code, failed
        assert "Traceback" not in failed.err


async def test_the_run_is_told_when_the_output_takes_nothing(cli: Command, rest: Rest) -> None:
    target = await rest.register()
    run = f"-m krkn_grpc.cli run -t {target} --scenario s --image {IMAGE}-lasts-0s"
    # The last one is open for reading alone.
    for options in ("> /dev/full", "--wait > /dev/full", "-o json > /dev/full", "1< /dev/null"):
        async with cli.start_shell(f"{run} {options}") as started:
            failed = await started.ended()
        assert failed.code != 0
        [said] = [line for line in failed.err.splitlines() if "was started" in line]
        started_run = await rest.get_run(said.rpartition(" ")[2])
        assert [each["targetUUID"] for each in started_run["targets"]] == [target]


async def test_an_output_that_takes_nothing_is_one_line(cli: Command) -> None:
    for command in ("--help > /dev/full", "scenarios list 1< /dev/null"):
        async with cli.start_shell(f"-m krkn_grpc.cli {command}") as started:
            failed = await started.ended()
        assert failed.code == 1
        assert failed.line.startswith("Error: the output cannot be written: ")


async def test_what_is_closed_is_not_written_and_the_exit_code_tells(
    cli: Command, rest: Rest
) -> None:
    run = f"-m krkn_grpc.cli run -t {await rest.register()} --scenario s --wait --image {IMAGE}"
    for options, code in (("-exit-1 >&-", 1), ("-lasts-0s <&- >&- 2>&-", 0)):
        async with cli.start_shell(f"{run}{options}") as started:
            ended_so = await started.ended()
        assert (ended_so.code, "Traceback" in ended_so.err) == (code, False), ended_so
