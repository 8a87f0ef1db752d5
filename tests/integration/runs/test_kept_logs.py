"""Kept logs are read when the pod is gone, and the reply says that they are kept ones."""

import asyncio
import base64
import gzip
from pathlib import Path
from typing import Any

import pytest
from grpc import StatusCode

from deploy.local.cluster.control_plane import ControlPlane
from krkn_grpc.v1.runs_pb2 import StreamRunLogsResponse
from tests.integration.runs.asked import a_job
from tests.integration.runs.conftest import Site, a_site
from tests.integration.runs.test_logs import an_ended_job
from tests.support.custom_objects import LOGS, Manifest, collection
from tests.support.jobs import Jobs
from tests.support.kept_logs import kept_logs
from tests.support.requests import IMAGE
from tests.support.rpc import refused
from tests.support.running import Wanted

GONE = "the log is gone with the job's pod"
EVICTED = f"{GONE}: its kept copy was deleted for newer ones, or logs are not kept here"
UNREADABLE = f"{GONE}, and what was kept of it cannot be read"
BEING_KEPT = "the job's pod is gone and its log is being kept; try again"


async def source_of(call: Any) -> tuple[str, str]:
    """Read a stream to its end; return its text, and what it says of its source."""
    text = b"".join([part.data async for part in call]).decode()
    begun, ended = dict(await call.initial_metadata()), dict(await call.trailing_metadata())
    assert begun.get("krkn-log") == ended.get("krkn-log")
    return text, begun.get("krkn-log", "")


async def without_its_pod(site: Site, jobs: Jobs, job_id: str) -> None:
    await jobs.delete_pod(job_id)
    await jobs.no_pod(job_id)


async def without_its_kept_log(site: Site, job_id: str) -> Manifest:
    """Delete the kept log of a job, as its eviction does; return it."""
    kept = (await kept_logs(site.cluster, site.namespace))[job_id]
    await site.cluster.request("DELETE", f"{collection(LOGS, site.namespace)}/{job_id}")
    return kept


async def test_a_kept_log_is_read_as_that_of_the_pod(site: Site, jobs: Jobs) -> None:
    job_id = await an_ended_job(site, "logs-20-lines")
    ways: list[dict[str, Any]] = [
        {},
        {"follow": True},
        {"tail_lines": 3},
        {"tail_lines": 0},
        {"tail_lines": 2**31 - 1, "timestamps": True},
        {"timestamps": True, "tail_lines": 1, "follow": True},
    ]
    before = [await source_of(site.runs.log(job_id, **way)) for way in ways]
    assert {source for _, source in before} == {""}
    await without_its_pod(site, jobs, job_id)
    for runs in (site.runs, site.other_runs):
        after = [await source_of(runs.log(job_id, **way)) for way in ways]
        assert after == [(text, "kept") for text, _ in before]


async def test_what_is_left_of_a_long_log(site: Site, jobs: Jobs) -> None:
    job_id = await an_ended_job(site, "lasts-0s-logs-20000-lines")
    whole = await site.runs.read_log(job_id)
    await without_its_pod(site, jobs, job_id)
    text, source = await source_of(site.runs.log(job_id))
    assert source == "kept, truncated"
    assert whole.endswith(f"\n{text}")
    assert text.count("\n") > 1_000
    tail, source = await source_of(site.runs.log(job_id, tail_lines=7))
    assert (tail.splitlines(), source) == (whole.splitlines()[-7:], "kept, truncated")
    call = site.runs.run_log((await site.runs.job(job_id)).run_id, tail_lines=7)
    assert {line.source async for line in call} == {"kept, truncated"}
    assert dict(await call.trailing_metadata())["krkn-log"] == "kept, truncated"


async def test_an_empty_log_is_kept_too(site: Site, jobs: Jobs) -> None:
    job_id = await an_ended_job(site, "logs-nothing")
    await without_its_pod(site, jobs, job_id)
    assert await source_of(site.runs.log(job_id)) == ("", "kept")


async def test_a_stopped_job_has_a_log(site: Site, jobs: Jobs) -> None:
    job_id = await a_job(site, "never-ends")
    await site.runs.when(job_id, "Running")
    first = (await site.runs.read_log(job_id)).splitlines()[0]
    await site.runs.stop(job_id)
    await site.runs.when(job_id)
    await jobs.no_pod(job_id)
    text, source = await source_of(site.runs.log(job_id))
    assert (text.splitlines()[0], source) == (first, "kept")


async def test_who_asks_between_the_pods_end_and_the_jobs_waits(site: Site, jobs: Jobs) -> None:
    """The final status may come after the pod has gone: then the log is waited for."""
    job_id = await a_job(site, "never-ends")
    await site.runs.when(job_id, "Running")
    await site.runs.stop(job_id)
    readers = []
    for _ in range(20):
        for follow in (False, True):
            log = site.runs.log(job_id, follow=follow)
            readers.append(asyncio.ensure_future(source_of(log)))
        await asyncio.sleep(0.05)
    for text, _ in await asyncio.gather(*readers):
        assert text.startswith("scenario ")


async def test_a_log_is_not_called_gone_before_the_job_has_ended(
    control_plane: ControlPlane, tmp_path: Path
) -> None:
    async with a_site(control_plane, tmp_path, Wanted(envoy=False)) as own:
        job_id = await a_job(own, "never-ends")
        await own.runs.when(job_id, "Running")
        own.servers[0].processes.pause("controller")
        try:
            jobs = Jobs(control_plane, own.namespace)
            await jobs.tear_pod_out(job_id)
            await jobs.no_pod(job_id)
            found = await refused(own.runs.log(job_id).read())
            assert (found.code, found.message) == (StatusCode.UNAVAILABLE, BEING_KEPT)
        finally:
            own.servers[0].processes.resume("controller")


async def test_no_pod_and_no_kept_log(site: Site, jobs: Jobs) -> None:
    job_id = await an_ended_job(site)
    await without_its_pod(site, jobs, job_id)
    kept = await without_its_kept_log(site, job_id)
    for follow in (False, True):
        found = await refused(site.runs.log(job_id, follow=follow).read())
        assert (found.code, found.message) == (StatusCode.NOT_FOUND, EVICTED)
    # Another one's pod of the same name is not the job's, nor is another one's log.
    await jobs.make_pod(job_id)
    metadata = {"name": job_id, "annotations": kept["metadata"]["annotations"]}
    foreign = kept | {"metadata": metadata}
    await site.cluster.request("POST", collection(LOGS, site.namespace), foreign)
    found = await refused(site.runs.log(job_id).read())
    assert (found.code, found.message) == (StatusCode.NOT_FOUND, EVICTED)
    await jobs.delete_pod(job_id)


# 64 MiB of line breaks, which the resource would take.
BOMB = base64.b64encode(gzip.compress(b"\n" * 2**26, 9)).decode()


@pytest.mark.parametrize(
    "content", ["H4sIAAAAAAAC", "bm90aGluZw==", BOMB], ids=["cut", "no gzip", "bomb"]
)
async def test_a_kept_log_that_cannot_be_read_is_none(site: Site, jobs: Jobs, content: str) -> None:
    job_id = await an_ended_job(site, "lasts-0s")
    await without_its_pod(site, jobs, job_id)
    kept = await without_its_kept_log(site, job_id)
    metadata = {key: kept["metadata"][key] for key in ("name", "ownerReferences")}
    broken = kept | {"metadata": metadata, "spec": kept["spec"] | {"content": content}}
    await site.cluster.request("POST", collection(LOGS, site.namespace), broken)
    for way in ({}, {"tail_lines": 1}):
        found = await refused(site.runs.log(job_id, **way).read())
        assert (found.code, found.message) == (StatusCode.NOT_FOUND, UNREADABLE)


async def test_it_says_why_a_log_was_not_kept(site: Site, jobs: Jobs) -> None:
    job_id = await a_job(site, "never-ends")
    await site.runs.when(job_id, "Running")
    await jobs.tear_pod_out(job_id)
    found = await refused(site.runs.log(job_id, follow=True).read())
    why = "The log was gone with the pod before it was read"
    assert (found.code, found.message) == (
        StatusCode.NOT_FOUND,
        f"{GONE}, and was not kept: {why}",
    )


async def test_the_logs_of_a_run_say_which_are_kept_and_which_are_gone(
    site: Site, jobs: Jobs
) -> None:
    run = await site.runs.run_of(
        *await site.some_targets(3), scenarioImage=f"{IMAGE}-lasts-0s-logs-20-lines"
    )
    await site.runs.run_when(run.run_id)
    before = await site.runs.run_lines(run.run_id)
    assert {line.source for line in before} == {""}
    _, kept, gone = (each.job_id for each in run.targets)
    for job_id in (kept, gone):
        await without_its_pod(site, jobs, job_id)
    await without_its_kept_log(site, gone)
    expected = [line for line in before if line.job_id != gone]
    for line in expected:
        line.source = "kept" if line.job_id == kept else ""
    name = (await site.runs.job(gone)).cluster_name
    expected.append(
        StreamRunLogsResponse(job_id=gone, cluster_name=name, source="gone", note=EVICTED)
    )
    for follow in (False, True):
        call = site.runs.run_log(run.run_id, follow=follow)
        lines = [line async for line in call]
        assert sorted(lines, key=str) == sorted(expected, key=str)
        assert dict(await call.trailing_metadata())["krkn-log"] == "kept"
