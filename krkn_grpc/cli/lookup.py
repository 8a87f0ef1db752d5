"""Finds runs and jobs by the names that people give: ends of ids, and RUN/TARGET."""

import difflib
from collections.abc import Iterator

from krkn_grpc.cli import columns, ids
from krkn_grpc.cli.client import Client
from krkn_grpc.cli.failures import NotFound
from krkn_grpc.cli.progress import REFUSED
from krkn_grpc.v1.runs_pb2 import ListRunsRequest, Run
from krkn_grpc.v1.scenario_runs_pb2 import Job, ListScenarioRunsRequest

# This command's status of a job that was deleted, or is not made yet.
ABSENT = "Absent"
# Named in a refusal.
_MOST = 5


def all_runs(client: Client, request: ListRunsRequest) -> Iterator[Run]:
    """Yield the runs of all pages; each page is requested when it is needed."""
    return client.pages(client.runs.ListRuns, request, lambda page: page.runs)


def all_jobs(client: Client, request: ListScenarioRunsRequest) -> Iterator[Job]:
    """Yield the jobs of all pages; each page is requested when it is needed."""
    return client.pages(client.runs.ListScenarioRuns, request, lambda page: page.jobs)


def run_id(client: Client, given: str) -> str:
    """Return the id of the run with this id or end of an id; raises NotFound.

    An id is not looked up.
    """
    if ids.is_uuid(given):
        return given
    _must_be_long_enough("run", given)
    found = runs_ending(client, given)
    if not found:
        raise NotFound(f"there is no run whose id ends with {given!r}")
    return _only("runs", given, found)


def job_id(client: Client, given: str) -> str:
    """Return the id of the job that is named RUN/TARGET, or by an end of its id; raises NotFound.

    An id is not looked up.
    """
    if ids.is_uuid(given):
        return given
    run, slash, target = given.partition("/")
    if slash:
        return _of_run(client, run_id(client, run), target)
    _must_be_long_enough("job", given)
    known = (job.job_id for job in all_jobs(client, ListScenarioRunsRequest()))
    found = ids.ending(known, given)
    if not found:
        raise NotFound(
            f"there is no job whose id ends with {given!r}; name it RUN/TARGET, or by id"
        )
    return _only("jobs", given, list(found))


def runs_ending(client: Client, given: str) -> list[str]:
    """Return the ids of the runs that end so."""
    known = (run.run_id for run in all_runs(client, ListRunsRequest()))
    return list(ids.ending(known, given))


def jobs_of_run(client: Client, run: Run) -> list[Job]:
    """Return the jobs of a run, one per target: those that got one, and then those that did not.

    A job that is not listed has the status ABSENT, and a target that was refused REFUSED.
    """
    request = ListScenarioRunsRequest(run_id=run.run_id)
    found = {job.job_id: job for job in all_jobs(client, request)}
    outcomes = [
        found.get(each.job_id) or _gone(run, each.job_id, each.target_uuid) for each in run.targets
    ]
    outcomes += [
        Job(
            target_uuid=each.target_uuid,
            scenario_name=run.scenario_name,
            run_id=run.run_id,
            status=REFUSED,
            message=each.error,
        )
        for each in run.refused
    ]
    return outcomes


def _gone(run: Run, job_id: str, target_uuid: str) -> Job:
    """Return what is known of a job that is not listed."""
    return Job(
        job_id=job_id,
        target_uuid=target_uuid,
        scenario_name=run.scenario_name,
        run_id=run.run_id,
        status=ABSENT,
    )


def _of_run(client: Client, run: str, target: str) -> str:
    jobs = list(all_jobs(client, ListScenarioRunsRequest(run_id=run)))
    found = {job.job_id for job in jobs if target in (columns.target_of(job), job.target_uuid)}
    if not found:
        names = [columns.target_of(job) for job in jobs]
        raise NotFound(f"run {ids.end(run)} has no job on {target!r}{meant(target, names)}")
    return _only("jobs", target, sorted(found))


def meant(given: str, known: list[str]) -> str:
    """Return a question after the most similar known name, "" if none is similar."""
    guess = difflib.get_close_matches(given, known, n=1)
    return f" ({guess[0]}?)" if guess else ""


def _must_be_long_enough(what: str, given: str) -> None:
    if ids.is_too_short(given):
        least = f"an end of an id has at least {ids.FEWEST} characters"
        raise NotFound(f"{given!r} names no {what}: {least}")


def _only(what: str, given: str, found: list[str]) -> str:
    if len(found) > 1:
        named = ", ".join(found[:_MOST]) + (", ..." if len(found) > _MOST else "")
        raise NotFound(f"{len(found)} {what} end with {given!r}: {named}")
    return found[0]
