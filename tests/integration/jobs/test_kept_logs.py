"""The end of a job's log is kept before the job is final, and what cannot be kept holds no job."""

import re

import pytest

from deploy.local.processes.ports import free_port
from tests.integration.jobs.conftest import StartController
from tests.support.cluster_rules import make_quota
from tests.support.custom_objects import JOBS, LOGS, Manifest, collection, whole
from tests.support.jobs import FINAL, Jobs
from tests.support.kept_logs import kept_logs, stored_bytes, text_of, why_not_kept
from tests.support.object_watch import ObjectWatch
from tests.support.scrape import Scrape
from tests.support.waiting import eventually

STAMPED = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z (.*)")


async def log_of(jobs: Jobs, job: str) -> Manifest | None:
    return (await kept_logs(jobs.cluster, jobs.namespace)).get(job)


def last_line(log: Manifest | None) -> bytes:
    assert log is not None, "no log was kept"
    found = STAMPED.fullmatch(text_of(log).splitlines()[-1])
    assert found is not None
    return found[1]


def version(item: Manifest) -> int:
    return int(item["metadata"]["resourceVersion"])


async def test_the_log_is_kept_once_and_before_the_final_status(patient_jobs: Jobs) -> None:
    jobs = patient_jobs
    async with jobs.watch() as watch:
        job = await jobs.job(await jobs.target(), "lasts-1s-exit-3")
        status = await jobs.finished(job)
        assert why_not_kept(status) == ""
        await watch.until("final", lambda: final_version(watch, job))
        [kept] = watch.versions_of(LOGS, job)
        assert version(kept) < final_version(watch, job)
    assert all(STAMPED.fullmatch(line) for line in text_of(kept).splitlines())
    assert last_line(kept) == b"the scenario ended with exit code 3"
    spec = kept["spec"]
    assert (spec["truncated"], spec["size"]) == (False, len(text_of(kept)))
    assert spec["podUID"] == status["podUID"]
    assert stored_bytes(kept) >= len(spec["content"])
    assert "finalizers" not in kept["metadata"]


def final_version(watch: ObjectWatch, job: str) -> int:
    final = (
        version(each)
        for each in watch.versions_of(JOBS, job)
        if each.get("status", {}).get("phase") in FINAL
    )
    return next(final, 0)


async def test_it_goes_with_its_job(patient_jobs: Jobs) -> None:
    jobs = patient_jobs
    job = await jobs.job(await jobs.target(), "lasts-0s")
    await jobs.finished(job)
    kept = await log_of(jobs, job)
    assert kept is not None
    [owner] = kept["metadata"]["ownerReferences"]
    assert owner["uid"] == kept["spec"]["jobUID"] == (await jobs.read(job))["metadata"]["uid"]
    assert "blockOwnerDeletion" not in owner
    await jobs.delete(job)
    await eventually(lambda: log_of(jobs, job), lambda found: found is None)


async def test_it_goes_also_when_its_job_leaves_it_behind(patient_jobs: Jobs) -> None:
    """By `kubectl delete --cascade=orphan`, which takes its owner away."""
    jobs = patient_jobs
    job = await jobs.job(await jobs.target(), "lasts-0s")
    await jobs.finished(job)
    assert await log_of(jobs, job) is not None
    await jobs.delete(job, "Orphan")
    await jobs.gone(job)
    await eventually(lambda: log_of(jobs, job), lambda found: found is None)


async def test_a_long_log_keeps_its_end(patient_jobs: Jobs) -> None:
    jobs = patient_jobs
    job = await jobs.job(await jobs.target(), "lasts-0s-logs-30000-lines")
    await jobs.finished(job)
    kept = await log_of(jobs, job)
    assert last_line(kept) == b"the scenario ended with exit code 0"
    assert kept is not None
    assert kept["spec"]["truncated"]
    lines = text_of(kept).splitlines()
    numbers = [int(line.split()[2]) for line in lines if b" line " in line]
    # Without a hole, from a line's start on, as many as there is room for.
    assert len(numbers) > 1_000
    assert numbers == list(range(30_000 - len(numbers) + 1, 30_001))
    assert len(kept["spec"]["content"]) <= 65_536 * 4 / 3 + 4


@pytest.mark.parametrize("deed", ["stop", "delete the pod"])
async def test_the_log_of_a_pod_that_is_deleted_is_kept(patient_jobs: Jobs, deed: str) -> None:
    """To its end, by a real node (tests/node): this one has no line of it when the pod is gone."""
    jobs = patient_jobs
    job = await jobs.job(await jobs.target(), "never-ends")
    await jobs.running(job)
    await (jobs.stop if deed == "stop" else jobs.delete_pod)(job)
    status = await jobs.finished(job)
    phase = "Stopped" if deed == "stop" else "Failed"
    assert (status["phase"], why_not_kept(status)) == (phase, "")
    kept = await log_of(jobs, job)
    assert kept is not None
    assert b" starts on target " in text_of(kept).splitlines()[0]


async def test_a_pod_that_is_torn_out_leaves_no_log(patient_jobs: Jobs) -> None:
    jobs = patient_jobs
    job = await jobs.job(await jobs.target(), "never-ends")
    await jobs.running(job)
    await jobs.tear_pod_out(job)
    status = await jobs.finished(job)
    assert why_not_kept(status) == "PodGone"
    assert await log_of(jobs, job) is None


async def test_a_scenario_that_never_ran_has_no_log_and_nothing_is_said(brisk_jobs: Jobs) -> None:
    jobs = brisk_jobs
    job = await jobs.job(await jobs.target(), "never-starts")
    status = await jobs.finished(job)
    assert status["reason"] == "StartDeadlineExceeded"
    assert why_not_kept(status) == ""
    assert await log_of(jobs, job) is None


async def test_another_ones_log_is_not_taken(patient_jobs: Jobs) -> None:
    jobs = patient_jobs
    job = await jobs.job(await jobs.target(), "lasts-2s")
    manifest = whole(LOGS)
    manifest["metadata"]["name"] = job
    foreign = await jobs.cluster.request("POST", collection(LOGS, jobs.namespace), manifest)
    status = await jobs.finished(job)
    assert (status["phase"], why_not_kept(status)) == ("Succeeded", "NameTaken")
    assert await log_of(jobs, job) == foreign


async def test_a_quota_holds_no_job(own_jobs: Jobs, a_controller: StartController) -> None:
    jobs = own_jobs
    await make_quota(jobs.cluster, jobs.namespace, f"count/{LOGS}.krkn.krkn-chaos.dev", 0)
    async with a_controller() as controller:
        await controller.start()
        job = await jobs.job(await jobs.target(), "lasts-0s")
        status = await jobs.finished(job)
    assert (status["phase"], why_not_kept(status)) == ("Succeeded", "QuotaExceeded")


async def test_the_oldest_go_before_there_are_too_many(
    own_jobs: Jobs, a_controller: StartController
) -> None:
    jobs, limit, port = own_jobs, 5_000, free_port()
    async with (
        jobs.watch() as watch,
        a_controller(keep_log_total_bytes=limit, controller_metrics_port=port) as controller,
    ):
        await controller.start()
        target = await jobs.target()
        made = []
        for _ in range(5):
            made.append(await jobs.job(target, "lasts-0s"))
            await jobs.finished(made[-1])
        kept = await kept_logs(jobs.cluster, jobs.namespace)
        count = len(kept)
        assert 1 < count < 5
        assert kept.keys() == set(made[-count:])
        stored = sum(map(stored_bytes, kept.values()))
        assert stored <= limit
        told = await eventually(
            lambda: Scrape.at(f"http://127.0.0.1:{port}/metrics"),
            lambda told: told.of("krkn_kept_log_bytes") == stored,
        )
        assert told.of("krkn_kept_logs_evicted_total") == 5 - count
        # Nor was it more at any moment.
        logs = [watch.versions_of(LOGS, each)[0] for each in made]
        for now in map(version, logs):
            there = [
                log
                for log in logs
                if version(log) <= now and watch.gone_at.get(log["metadata"]["uid"], now) >= now
            ]
            assert sum(map(stored_bytes, there)) <= limit
        # A lower limit holds for those that are there.
        await controller.stop()
        async with a_controller(keep_log_total_bytes=0) as other:
            await other.start()
            await watch.until("none", lambda: not watch.all(LOGS))


async def test_none_is_kept_where_the_setting_says_so(
    own_jobs: Jobs, a_controller: StartController
) -> None:
    jobs = own_jobs
    async with a_controller(keep_log_bytes=0) as controller:
        await controller.start()
        job = await jobs.job(await jobs.target(), "lasts-0s")
        status = await jobs.finished(job)
    assert why_not_kept(status) == ""
    assert await log_of(jobs, job) is None
