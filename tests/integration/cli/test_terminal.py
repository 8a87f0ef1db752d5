"""The command as a person at a terminal of 80 columns sees it, against the real services."""

import os
import signal
import uuid
from pathlib import Path

import pytest

from tests.support.command import Command
from tests.support.requests import IMAGE, unused_name
from tests.support.rest import CHAOS_RUNS, Rest
from tests.support.running import Running
from tests.support.terminal import Terminal

RUN = ("run", "pod-scenarios", "--image")


@pytest.fixture
def terminal(shared_services: Running) -> Terminal:
    return Terminal(shared_services.processes.rest_url)


def fits(lines: list[str], columns: int = 80) -> bool:
    return max(map(len, lines)) <= columns


async def test_lists_have_one_line_a_row_at_any_width(terminal: Terminal, rest: Rest) -> None:
    label, long = f"l{uuid.uuid4().hex}", f"{unused_name()}-{'x' * 100}"
    names = [unused_name(), long]
    targets = [await rest.register(clusterName=name, labels={label: "y"}) for name in names]
    run_id = await rest.run_of(
        *targets, scenarioImage=f"{IMAGE}-lasts-0s", labels={label: "y"}, scenarioName="s" * 60
    )
    await rest.run_when(run_id)
    for columns in (80, 40):
        narrow = Terminal(terminal.server, columns)
        for command in ("jobs", "runs", "targets"):
            listed = await narrow(command, "list", "-l", f"{label}=y")
            assert len(listed.lines) == (2 if command == "runs" else 3), listed
            assert fits(listed.lines, columns), listed
    jobs = await terminal("jobs", "list", "-l", f"{label}=y")
    assert jobs.lines[0].split() == [
        "TARGET",
        "SCENARIO",
        "STATUS",
        "EXIT",
        "TIME",
        "AGE",
        "RUN",
        "ID",
    ]
    [row] = [line.split() for line in jobs.lines if line.startswith(f"{names[0]} ")]
    assert (row[2:4], row[6]) == (["Succeeded", "0"], run_id[-6:])
    # A name that a table shows finds the thing again.
    shown = await terminal("jobs", "get", f"{run_id[-6:]}/{names[0]}")
    assert f"runId:                   {run_id}" in shown.lines
    by_end = await terminal("jobs", "get", row[7])
    assert names[0] in by_end.text
    described = await terminal("runs", "get", run_id[-6:])
    assert "counts:                  2 total, 2 succeeded" in described.lines


async def test_a_run_is_shown_as_a_whole(terminal: Terminal, rest: Rest) -> None:
    ok, bad = unused_name(), f"b-{uuid.uuid4().hex[:8]}"
    for name in (ok, bad):
        await rest.register(clusterName=name)
    good = await terminal(*RUN, f"{IMAGE}-lasts-0s", "-t", ok, "--wait")
    assert good.code == 0
    run, *_, last = good.lines
    name = run[-6:]
    assert last.startswith("1 job: 1 Succeeded in ")
    assert last.endswith(f"(run {name})")
    assert fits(good.lines)

    failed = await terminal(*RUN, f"{IMAGE}-exit-3-lasts-0s", "-t", bad, "--wait")
    assert failed.code == 1
    name = failed.lines[0][-6:]
    assert f"{bad}  Failed  HealthCheckFailed 3   krkn-grpc logs {name}/{bad}" in failed.lines
    *_, summary, logs, again = failed.lines
    assert summary.startswith("1 job: 1 Failed in ")
    assert logs == f"Logs of the failed ones: krkn-grpc logs --run {name} --failed"
    assert again == f"To run the failed ones again: krkn-grpc runs rerun {name} --failed"
    assert fits(failed.lines)
    watched = await terminal("runs", "watch", name)
    assert (watched.code, watched.lines[-3]) == (1, summary)


async def test_more_than_one_cluster_is_asked_about(terminal: Terminal, rest: Rest) -> None:
    label = f"l{uuid.uuid4().hex}"
    for _ in range(2):
        await rest.register(labels={label: "y"})
    arguments = (*RUN, f"{IMAGE}-never-starts", "-l", f"{label}=y", "--label", f"{label}=y")
    refused = await terminal(*arguments, typed="n\n")
    assert refused.code == 1
    assert f"pod-scenarios on 2 targets ({label}=y)" in refused.text.replace("\n", "")
    assert refused.lines[-1].endswith("Nothing was done.")
    listed = await rest.get(f"{CHAOS_RUNS}?labelSelector={label}%3Dy")
    assert listed.body["runs"] == []
    agreed = await terminal(*arguments, typed="y\n")
    assert (agreed.code, "2 jobs started" in agreed.text) == (0, True), agreed
    stopped = await terminal("stop", "-l", f"{label}=y", typed="y\n")
    assert "Stop 1 run and 0 other jobs?" in stopped.text
    [run] = (await rest.get(f"{CHAOS_RUNS}?labelSelector={label}%3Dy")).body["runs"]
    assert (await rest.run_when(run["runId"]))["status"] == "Stopped"


@pytest.mark.parametrize(
    ("number", "options", "code", "status"),
    [
        pytest.param(signal.SIGTERM, {"CI": "true"}, 143, "Stopped", id="a pipeline is cancelled"),
        pytest.param(signal.SIGTERM, {}, 143, "Running", id="SIGTERM"),
    ],
)
async def test_an_interrupt_says_what_goes_on(
    terminal: Terminal,
    rest: Rest,
    number: signal.Signals,
    options: dict[str, str],
    code: int,
    status: str,
) -> None:
    target = await rest.register()
    interrupted = Terminal(terminal.server, environment=options)
    with interrupted.start(*RUN, f"{IMAGE}-never-ends", "-t", target, "--wait") as session:
        session.until("1 running")
        run_id = session.seen().partition("Run: ")[2][:36]
        os.kill(session.process.pid, number)
        ended = session.ended()
    name = run_id[-6:]
    says = {
        "Stopped": f"Stopping 1 job of run {name}.",
        "Running": f"The jobs go on. To stop them: krkn-grpc runs stop {name}",
    }
    assert (ended.code, says[status] in ended.lines) == (code, True), ended
    assert (await rest.run_when(run_id, status))["status"] == status
    await rest.delete(f"{CHAOS_RUNS}/{run_id}")


async def test_logs_of_a_run_have_a_name_in_each_line(terminal: Terminal, rest: Rest) -> None:
    name = unused_name()
    run_id = await rest.run_of(
        await rest.register(clusterName=name), scenarioImage=f"{IMAGE}-exit-3-lasts-0s"
    )
    await rest.run_when(run_id)
    logs = await terminal("logs", "--run", run_id[-6:], "--failed", "--tail", "1")
    assert logs.lines == [f"[{name}] the scenario ended with exit code 3"]
    lines = await terminal("logs", "--run", run_id, "--tail", "1", "-o", "jsonl")
    assert f'"clusterName": "{name}"' in lines.text.replace("\n", "")


async def test_output_for_programs(cli: Command, rest: Rest) -> None:
    name, label = unused_name(), f"l{uuid.uuid4().hex}"
    target = await rest.register(clusterName=name, labels={label: "y"})
    options = ("targets", "list", "-l", label)
    assert (await cli(*options, "-o", "name")).out == f"{name}\n"
    lines = await cli(*options, "-o", "jsonl")
    assert lines.json["uuid"] == target
    written = await cli(*options, "-o", "yaml")
    assert written.out.startswith(f"targets:\n- uuid: {target}\n  clusterName: {name}\n")


async def test_targets_by_pattern_and_by_file(cli: Command, rest: Rest) -> None:
    prefix = unused_name()
    names = [f"{prefix}-a", f"{prefix}-b", f"other-{prefix}"]
    for name in names:
        await rest.register(clusterName=name)
    checked = await cli(*RUN, IMAGE, "-t", f"{prefix}-*", "--dry-run")
    assert sorted(checked.out.splitlines()[1:]) == [
        f"{names[0]}  would run",
        f"{names[1]}  would run",
    ]
    assert checked.line == "2 would run; nothing was started."
    file = f"# comment\n{names[2]}\n\n{names[0]}\n"
    named = await cli(*RUN, IMAGE, "--targets-file", "-", "--dry-run", given=file)
    assert {line.split()[0] for line in named.out.splitlines()[1:]} == {names[2], names[0]}
    wrong = await cli(*RUN, IMAGE, "-t", f"{names[0]}x", "-t", "nothing-like-it")
    assert (wrong.code, wrong.line) == (
        3,
        f"Error: there is no target '{names[0]}x' ({names[0]}?), 'nothing-like-it'",
    )


async def test_targets_are_waited_for(cli: Command, rest: Rest) -> None:
    name = unused_name()
    await rest.register(clusterName=name)
    late = await cli("targets", "wait", name, "--timeout", "0")
    assert late.code == 1
    assert late.err.splitlines()[-1] == "Error: after 0s 1 of 1 not ready"
    assert late.err.startswith(f"{name}  ")
    other = unused_name()
    await rest.register(clusterName=other)
    async with cli.start("targets", "wait", name, "--for", "deleted") as waiting:
        await cli("targets", "delete", name)
        assert (await waiting.ended()).code == 0
    gone = ("targets", "wait", name, "--for", "deleted", "--timeout", "0")
    assert (await cli(*gone)).code == 0
    # One that is gone says nothing of the others.
    still = await cli(*gone, other)
    assert (still.code, still.err.splitlines()[0]) == (1, f"{other}  is there")


@pytest.mark.parametrize("selector", ["", " "])
@pytest.mark.parametrize(
    "command",
    [
        (*RUN, IMAGE, "--dry-run"),
        ("stop",),
        ("halt", "--reason", "none"),
        ("targets", "wait", "--timeout", "0"),
    ],
)
async def test_a_blank_selector_does_not_select_everything(
    cli: Command, command: tuple[str, ...], selector: str
) -> None:
    blank = await cli(*command, "--selector", selector)
    assert (blank.code, "--selector" in blank.err) == (2, True), blank


async def test_a_question_is_not_among_what_programs_read(
    terminal: Terminal, rest: Rest, tmp_path: Path
) -> None:
    label, file = f"l{uuid.uuid4().hex}", tmp_path / "out"
    for _ in range(2):
        await rest.register(labels={label: "y"})
    arguments = (*RUN, f"{IMAGE}-never-starts", "-l", f"{label}=y", "-o", "name")
    redirected = Terminal(terminal.server, stdout=file)
    assert (await redirected(*arguments, typed="y\n")).code == 0
    run_id = file.read_text()
    assert run_id == f"{run_id.strip()}\n"
    await rest.delete(f"{CHAOS_RUNS}/{run_id.strip()}")
