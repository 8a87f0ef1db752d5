"""krkn-grpc run, against the real services."""

import base64
import os
import signal
import uuid
from pathlib import Path

from tests.support.command import Command
from tests.support.custom_objects import JOBS, collection
from tests.support.requests import IMAGE, canary, unused_name
from tests.support.rest import RUNS, Rest
from tests.support.running import Running
from tests.support.waiting import eventually

RUN = ("run", "--scenario", "pod-scenarios", "--image")


def took(text: str) -> str:
    """How long a run took, in its summary."""
    return text.partition(" in ")[2].partition(" ")[0]


async def test_a_run_by_name_starts_a_job_a_target(cli: Command, rest: Rest) -> None:
    names = [unused_name(), unused_name()]
    uuids = [await rest.register(clusterName=name) for name in names]
    targets = ["-t", names[0], "-t", uuids[1]]
    ran = await cli(*RUN, IMAGE, *targets)
    assert ran.code == 0
    run_id = ran.err.splitlines()[0].removeprefix("Run: ")
    assert ran.out == f"2 jobs started (run {run_id})\n"
    assert ran.err.splitlines()[1:] == [f"To follow: krkn-grpc runs watch {run_id}"]
    run = await rest.get_run(run_id)
    assert [each["targetUUID"] for each in run["targets"]] == uuids


async def test_waiting_tells_how_each_ended(cli: Command, rest: Rest) -> None:
    name = unused_name()
    target = await rest.register(clusterName=name)
    ran = await cli(*RUN, IMAGE, "-t", name, "--wait", "-o", "json")
    run_id = ran.json["run"]["runId"]
    assert (ran.code, ran.line) == (0, f"1 job: 1 Succeeded in {took(ran.line)} (run {run_id})")
    assert ran.json["run"]["successfulJobs"] == 1
    [job] = ran.json["jobs"]
    assert (job["targetUUID"], job["status"], job["exitCode"]) == (target, "Succeeded", 0)
    assert job == await rest.job(job["jobId"])


async def test_one_that_fails_fails_the_command(cli: Command, rest: Rest) -> None:
    name = unused_name()
    await rest.register(clusterName=name)
    ran = await cli(*RUN, f"{IMAGE}-exit-3", "-t", name, "--wait")
    run, told, _, again = ran.err.splitlines()
    run_id = run.removeprefix("Run: ")
    logs = f"krkn-grpc logs {run_id}/{name}"
    assert (ran.code, told) == (1, f"{name}  Failed  HealthCheckFailed 3   {logs}")
    assert ran.out == f"1 job: 1 Failed in {took(ran.out)} (run {run_id})\n"
    assert again == f"To run the failed ones again: krkn-grpc runs rerun {run_id} --failed"
    assert (await cli(*logs.split()[1:])).code == 0


async def test_one_that_is_refused_fails_the_command_and_no_other(cli: Command, rest: Rest) -> None:
    target, absent = await rest.register(), str(uuid.uuid4())
    ran = await cli(*RUN, IMAGE, "-t", target, "-t", absent, "-o", "json")
    assert ran.code == 1
    started, refused = ran.json["jobs"]
    assert (started["success"], refused["success"]) == (True, False)
    assert refused["error"]

    waited = await cli(*RUN, IMAGE, "-t", target, "-t", absent, "--wait")
    assert waited.code == 1
    assert waited.err.splitlines()[1] == f"{absent}  Refused   there is no such target"
    assert waited.out.startswith("2 jobs: 1 Succeeded, 1 refused in ")


async def test_a_misspelt_name_starts_nothing(cli: Command, rest: Rest) -> None:
    target = await rest.register()
    wrong = await cli(*RUN, IMAGE, "-t", target, "-t", "misspelt")
    assert (wrong.code, wrong.line) == (3, "Error: there is no target 'misspelt'")
    assert (await rest.get(f"{RUNS}?targetUUID={target}")).body["jobs"] == []


async def test_targets_are_named_or_all_of_them_are_meant(cli: Command) -> None:
    both = ["--all", "-t", str(uuid.uuid4())]
    for options in ([], both, ["--all", "-l", "a=b"], [*both[1:], "-l", "a=b"]):
        wrong = await cli(*RUN, IMAGE, *options)
        assert wrong.code == 2
        said = "name targets with --target or --targets-file, by their labels with --selector"
        assert said in wrong.err


async def test_targets_by_their_labels(cli: Command, rest: Rest) -> None:
    label = f"l{uuid.uuid4().hex}"
    chosen = {await rest.register(labels={label: "yes"}) for _ in range(2)}
    await rest.register(labels={label: "no"})
    ran = await cli(*RUN, IMAGE, "-l", f"{label}=yes", "-o", "json")
    assert {each["targetUUID"] for each in ran.json["jobs"]} == chosen
    none = await cli(*RUN, IMAGE, "-l", f"{label}=maybe")
    assert (none.code, none.line) == (3, f"Error: no target has the labels '{label}=maybe'")


async def test_what_is_asked_for_the_run_as_a_whole(cli: Command, rest: Rest) -> None:
    target = await rest.register()
    limits = ["--max-parallel", "2", "--max-failures", "0", "--abort-running"]
    alerts = ["--abort-on", '{alertname="X"}', "--abort-on", '{alertname="Y"}']
    ran = await cli(*RUN, IMAGE, "-t", target, *limits, *alerts, "-o", "json")
    run = await rest.get_run(ran.json["runId"])
    found = (run["maxParallel"], run["maxFailures"], run["abortRunning"], run["abortOn"])
    assert found == (2, 0, True, ['{alertname="X"}', '{alertname="Y"}'])


async def test_all_targets_can_be_checked_and_nothing_starts(cli: Command, rest: Rest) -> None:
    target = await rest.register()
    checked = await cli(*RUN, IMAGE, "--all", "--validate-only", "-o", "json")
    assert target in [each["targetUUID"] for each in checked.json["jobs"]]
    assert (await rest.get(f"{RUNS}?targetUUID={target}")).body["jobs"] == []


async def test_every_option_reaches_the_job(
    cli: Command, rest: Rest, shared_services: Running, tmp_path: Path
) -> None:
    target, secret = await rest.register(), canary()
    secrets = tmp_path / "secrets"
    secrets.write_text(f"# comment\n\nFROM_FILE={secret}=2\n")
    content = tmp_path / "plan.yaml"
    content.write_bytes(b"plan: \xff\n")
    command = cli.with_environment(OWN="own value", HIDDEN=secret, KRKN_REGISTRY_PASSWORD=secret)
    ran = await command(
        *(*RUN, f"{IMAGE}-never-starts", "-t", target, "-o", "json"),
        *("-e", "GIVEN=a=b", "-e", "OWN", "--secret-env", "HIDDEN"),
        *("--secret-env-file", str(secrets), "--file", f"{content}:/etc/plan.yaml"),
        *("--kubeconfig-path", "/tmp/config", "--timeout", "77", "--ttl", "99"),
        *("--registry-url", "registry.example", "--registry-username", "robot"),
        *("--label", "team=a", "--label", "empty="),
    )
    job_id = ran.json["jobs"][0]["jobId"]
    job = await rest.job(job_id)
    assert job["labels"] == {"team": "a", "empty": ""}

    namespace, cluster = shared_services.namespace, shared_services.cluster
    spec = (await cluster.request("GET", f"{collection(JOBS, namespace)}/{job_id}"))["spec"]
    assert spec["environment"] == {"GIVEN": "a=b", "OWN": "own value"}
    assert (spec["timeoutSeconds"], spec["ttlSecondsAfterFinished"]) == (77, 99)
    assert spec["kubeconfigPath"] == "/tmp/config"
    assert secret not in str(spec)
    path = f"/api/v1/namespaces/{namespace}/secrets"
    inputs = await cluster.request("GET", f"{path}/krkn-job-{job_id}-inputs")
    data = [base64.b64decode(text) for text in inputs["data"].values()]
    assert {secret.encode(), f"{secret}=2".encode(), b"plan: \xff\n"} <= set(data)
    registry = await cluster.request("GET", f"{path}/krkn-job-{job_id}-registry")
    login = base64.b64decode(registry["data"][".dockerconfigjson"]).decode()
    assert "robot" in login
    assert secret in login


async def test_the_same_request_starts_nothing_twice(cli: Command, rest: Rest) -> None:
    target = await rest.register()
    again = [*RUN, IMAGE, "-t", target, "--request-id", str(uuid.uuid4()), "-o", "json"]
    first, second = await cli(*again), await cli(*again)
    assert first.json["jobs"][0]["jobId"] == second.json["jobs"][0]["jobId"]
    other = await cli(*again[:-2], "--timeout", "5")
    assert (other.code, other.out) == (3, "")
    assert other.line == "Error: the requestId was used before with another body"


async def test_a_dry_run_says_what_became_of_a_run_that_was_made(cli: Command, rest: Rest) -> None:
    target = await rest.register()
    asked = [*RUN, IMAGE, "-t", target, "--request-id", str(uuid.uuid4())]
    made = await cli(*asked, "--wait", "-o", "json")
    run_id = made.json["run"]["runId"]
    assert (await rest.run_when(run_id))["status"] == "Succeeded"
    checked = await cli(*asked, "--dry-run")
    assert checked.out.splitlines()[1].split("  ")[1:] == ["already made: Succeeded"]
    said, run, counted = checked.err.splitlines()
    assert said == "The run of this requestId was already made: Succeeded."
    assert counted == "1 made already; nothing was started."
    reply = (await cli(*asked, "--dry-run", "-o", "json")).json
    assert (run, reply["runId"]) == (f"Run: {run_id}", run_id)
    assert reply["message"] == said


async def test_a_secret_on_the_command_line_is_refused(cli: Command, rest: Rest) -> None:
    target = await rest.register()
    wrong = await cli(*RUN, IMAGE, "-t", target, "--secret-env", "PASSWORD=hunter2")
    assert wrong.code == 2
    assert "give PASSWORD alone" in wrong.err
    assert "hunter2" not in wrong.err


async def test_a_job_that_is_deleted_meanwhile_is_told(
    cli: Command, rest: Rest, shared_services: Running
) -> None:
    name = unused_name()
    target = await rest.register(clusterName=name)
    arguments = [*RUN, f"{IMAGE}-never-starts", "-t", name, "--wait", "-o", "json"]
    async with cli.start(*arguments) as started:
        job_id = await _only_job(rest, target)
        path = f"{collection(JOBS, shared_services.namespace)}/{job_id}"
        await shared_services.cluster.request("DELETE", path)
        ended = await started.ended()
    assert ended.code == 1
    first, summary = ended.err.splitlines()
    assert first.startswith(f"{name}  Deleted   The job was deleted")
    assert summary.startswith("1 job: 1 Deleted")
    assert ended.json["jobs"][0]["status"] == "Deleted"


async def test_who_stops_waiting_is_told_how_to_stop_the_jobs(cli: Command, rest: Rest) -> None:
    targets = [await rest.register(), await rest.register()]
    options = [word for target in targets for word in ("-t", target)]
    async with cli.start(*RUN, f"{IMAGE}-never-ends", *options, "--wait") as started:
        jobs = [await _only_job(rest, target) for target in targets]
        await rest.delete(f"{RUNS}/{jobs[0]}")
        run_id = (await started.error_line()).removeprefix("Run: ").strip()
        # Now it has told of one, and surely waits for the other.
        assert (await started.error_line()).startswith(f"{targets[0]}  Stopped  StopRequested")
        started.process.send_signal(signal.SIGINT)
        ended = await started.ended()
    assert ended.code == 130
    assert ended.line == f"The jobs go on. To stop them: krkn-grpc runs stop {run_id}"
    assert (await cli("runs", "stop", run_id)).code == 0
    assert (await rest.job_when(jobs[1]))["status"] == "Stopped"


async def _only_job(rest: Rest, target: str) -> str:
    listed = await eventually(
        lambda: rest.get(f"{RUNS}?targetUUID={target}"), lambda reply: reply.body["jobs"]
    )
    [job] = listed.body["jobs"]
    job_id: str = job["jobId"]
    return job_id


async def test_waiting_with_as_many_and_as_long_labels_as_there_can_be(
    cli: Command, rest: Rest
) -> None:
    target = await rest.register()
    prefix = ".".join(["p" * 50] * 5)[:253]
    keys = [f"{prefix}/{number:063}" for number in range(64)]
    given = [word for key in keys for word in ("--label", f"{key}={'v' * 63}")]
    ran = await cli(*RUN, f"{IMAGE}-lasts-0s", "-t", target, "--wait", "-o", "json", *given)
    assert ran.code == 0, ran
    [job] = ran.json["jobs"]
    assert job["status"] == "Succeeded"
    assert job["labels"].keys() == set(keys)
    all_of_them = ",".join(f"{key}={'v' * 63}" for key in keys)
    listed = await cli("jobs", "list", "-l", all_of_them, "-o", "json")
    assert [each["jobId"] for each in listed.json["jobs"]] == [job["jobId"]]


async def test_a_file_may_have_any_name(
    cli: Command, rest: Rest, shared_services: Running, tmp_path: Path
) -> None:
    target = await rest.register()
    files = [tmp_path / "my scenario.yaml", Path(os.fsdecode(bytes(tmp_path / "b") + b"\xff"))]
    for file in files:
        file.write_text("a: 1\n")
    arguments = [f"--file={file}:/mnt/{index}" for index, file in enumerate(files)]
    ran = await cli(*RUN, IMAGE, "-t", target, *arguments, "-o", "json")
    assert ran.code == 0, ran.err
    [job] = ran.json["jobs"]
    path = f"{collection(JOBS, shared_services.namespace)}/{job['jobId']}"
    stored = await shared_services.cluster.request("GET", path)
    assert [file["name"] for file in stored["spec"]["files"]] == ["my scenario.yaml", "b\ufffd"]
