"""krkn-grpc jobs, stop and logs, against the real services."""

import json
import signal
import uuid

from krkn_grpc.resources.names import pod_for
from tests.support.command import Command
from tests.support.requests import IMAGE, unused_name
from tests.support.rest import RUNS, Rest
from tests.support.running import Running
from tests.support.waiting import eventually


async def test_jobs_are_listed_as_rest_lists_them(cli: Command, rest: Rest) -> None:
    name = unused_name()
    target, label = await rest.register(clusterName=name), uuid.uuid4().hex
    changes = {"labels": {"test": label}, "scenarioImage": f"{IMAGE}-never-starts"}
    made = {(await rest.run(target, **changes))[0] for _ in range(2)}

    listed = await cli("jobs", "list", "-l", f"test={label}", "-o", "json")
    assert listed.json == (await rest.get(f"{RUNS}?labelSelector=test%3D{label}")).body
    jobs = [job["jobId"] for job in listed.json["jobs"]]
    assert set(jobs) == made

    table = await cli("jobs", "list", "--target", name, "--status", "Pending")
    header, *rows = [line.split() for line in table.out.splitlines()]
    assert header == ["TARGET", "SCENARIO", "STATUS", "EXIT", "REASON", "TIME", "AGE", "RUN", "ID"]
    # Into a pipe ids are whole.
    assert [[*row[:3], row[-1]] for row in rows] == [
        [name, "pod-scenarios", "Pending", each] for each in jobs
    ]

    few = await cli("jobs", "list", "--target", target, "--limit", "1", "-o", "json")
    assert [job["jobId"] for job in few.json["jobs"]] == jobs[:1]
    none = await cli("jobs", "list", "--target", target, "--scenario", "x", "-o", "json")
    assert none.json["jobs"] == []
    wrong = await cli("jobs", "list", "--status", "Sleeping")
    assert wrong.code == 3
    assert wrong.line.startswith("Error: status: must be one of Pending, ")


async def test_one_job_is_shown(cli: Command, rest: Rest) -> None:
    [job_id] = await rest.run(await rest.register(), labels={"a": "b"})
    job = await rest.job_when(job_id)
    assert (await cli("jobs", "get", job_id, "-o", "json")).json == job
    shown = (await cli("jobs", "get", job_id)).out.splitlines()
    said = dict(line.split(maxsplit=1) for line in shown)
    assert (said["status:"], said["exitCode:"], said["labels:"]) == ("Succeeded", "0", "a=b")
    assert said["result:"].startswith("score 92, 12 of 13 SLOs, none of 1 health check failed")
    wide = (await cli("jobs", "list", "--run", job["runId"], "-o", "wide")).out.splitlines()
    assert dict(zip(wide[0].split(), wide[1].split(), strict=False))["SCENARIO"] == "pod-scenarios"
    assert " 92 " in wide[1]
    gone = await cli("jobs", "get", str(uuid.uuid4()))
    assert (gone.code, gone.line) == (3, "Error: there is no such job")


async def test_jobs_are_stopped_and_one_that_is_not_there_hinders_no_other(
    cli: Command, rest: Rest
) -> None:
    target, absent = await rest.register(), str(uuid.uuid4())
    changes = {"scenarioImage": f"{IMAGE}-never-ends"}
    jobs = [*(await rest.run(target, **changes)), *(await rest.run(target, **changes))]
    stopped = await cli("stop", jobs[0], absent, jobs[1], "-o", "json")
    assert stopped.code == 3
    assert json.loads(stopped.line)["message"] == f"{absent}: there is no such job"
    assert [job["jobId"] for job in json.loads(stopped.out)["jobs"]] == jobs
    for job in jobs:
        assert (await rest.job_when(job))["status"] == "Stopped"
    # One that has ended stays as it is.
    again = await cli("stop", jobs[0])
    assert again.code == 0
    assert " Stopped " in again.out


async def test_where_nothing_runs_programs_read_an_empty_list(cli: Command, rest: Rest) -> None:
    run = await rest.run_of(await rest.register(), scenarioImage=f"{IMAGE}-lasts-0s")
    await rest.run_when(run)
    for which in (("--run", run), ("-l", f"of=l{uuid.uuid4().hex}")):
        read = await cli("stop", *which, "-o", "json")
        assert (read.code, read.json["jobs"], read.err) == (0, [], "")
        assert (await cli("stop", *which)).line == "Nothing runs."


async def test_a_watch_prints_what_is_and_every_change(cli: Command, rest: Rest) -> None:
    target = await rest.register()
    [before] = await rest.run(target)
    await rest.job_when(before)
    async with cli.start("jobs", "list", "--target", target, "--watch", "-o", "json") as watch:
        first, second = json.loads(await watch.line()), json.loads(await watch.line())
        assert (first["type"], first["job"]["jobId"]) == ("ADDED", before)
        assert second == {"type": "SYNCED"}
        [after] = await rest.run(target)
        seen = [json.loads(await watch.line())]
        while seen[-1]["job"]["status"] != "Succeeded":
            seen.append(json.loads(await watch.line()))
        assert {change["job"]["jobId"] for change in seen} == {after}
        assert [change["type"] for change in seen] == ["ADDED"] + ["MODIFIED"] * (len(seen) - 1)
        watch.process.send_signal(signal.SIGINT)
        assert (await watch.ended()).code == 130


async def test_a_watch_for_people_is_a_line_a_change(cli: Command, rest: Rest) -> None:
    name = unused_name()
    [job_id] = await rest.run(await rest.register(clusterName=name))
    await rest.job_when(job_id)
    async with cli.start("jobs", "list", "--target", name, "--watch") as watch:
        head = (await watch.line()).split()
        words = (await watch.line()).split()
    assert head == ["TIME", "STATUS", "EXIT", "REASON", "SCENARIO", "JOB"]
    run_id = (await rest.job(job_id))["runId"]
    assert words[1:] == ["Succeeded", "0", "Completed", "pod-scenarios", f"{run_id}/{name}"]
    limited = await cli("jobs", "list", "--watch", "--limit", "2")
    assert (limited.code, "--limit is for a list" in limited.err) == (2, True)


async def test_the_log_of_a_job_that_has_not_started_is_empty(cli: Command, rest: Rest) -> None:
    changes = {"scenarioImage": f"{IMAGE}-never-starts"}
    [job_id] = await rest.run(await rest.register(), **changes)
    empty = await cli("logs", job_id)
    assert (empty.code, empty.out, empty.err) == (0, "", "")
    absent = await cli("logs", str(uuid.uuid4()), "--follow")
    assert (absent.code, absent.line) == (3, "Error: there is no such job")


async def test_it_says_of_a_kept_log_that_it_is_one(
    cli: Command, rest: Rest, shared_services: Running
) -> None:
    changes = {"scenarioImage": f"{IMAGE}-lasts-0s"}
    run_id = await rest.run_of(await rest.register(), await rest.register(), **changes)
    jobs = (await rest.run_when(run_id))["targets"]
    job_id = jobs[0]["jobId"]
    log, logs = await cli("logs", job_id), await cli("logs", "--run", run_id)
    assert (log.err, logs.err) == ("", "")
    pods = f"/api/v1/namespaces/{shared_services.namespace}/pods"
    await shared_services.cluster.request("DELETE", f"{pods}/{pod_for(job_id)}")
    kept = await eventually(lambda: cli("logs", job_id), lambda ran: ran.err)
    assert (kept.code, kept.out) == (0, log.out)
    assert kept.line == "The pod is gone: this is the log that was kept."
    ran = await cli("logs", "--run", run_id)
    name = (await rest.job(job_id))["clusterName"]
    said = f"# {name}: the pod is gone; this is the log that was kept\n"
    assert (ran.code, ran.err) == (0, "")
    assert sorted(ran.out.splitlines()) == sorted([said.strip(), *logs.out.splitlines()])
    assert ran.out.index(said) < ran.out.index(f"[{name}] ")
    ran = await cli("logs", "--run", run_id, "-o", "jsonl")
    lines = [json.loads(line) for line in ran.out.splitlines()]
    assert {line["jobId"]: line["source"] for line in lines} == {
        each["jobId"]: "kept" if each["jobId"] == job_id else "" for each in jobs
    }
