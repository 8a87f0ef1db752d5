"""Completes names in a shell by asking the service: scenarios, targets, runs, jobs, statuses.

A completion says nothing when it fails: the shell would show it within the command line.
"""

import os
from typing import Any

import typer

from krkn_grpc.cli import columns, config, ids, parameters, server_choice
from krkn_grpc.cli.client import PAGE, Client
from krkn_grpc.client.address import BadAddress
from krkn_grpc.client.errors import KrknError
from krkn_grpc.client.tokens import BadToken
from krkn_grpc.v1.runs_pb2 import ListRunsRequest
from krkn_grpc.v1.scenario_runs_pb2 import ListScenarioRunsRequest
from krkn_grpc.v1.scenarios_pb2 import ListScenariosRequest
from krkn_grpc.v1.targets_pb2 import ListTargetsRequest

# A shell waits for it.
_SECONDS = 2.0
_FAILURES = (KrknError, BadAddress, BadToken, config.BadConfig, OSError)
_MOST = 100
_JOB_STATUSES = ("Pending", "Running", "Stopping", "Succeeded", "Failed", "Stopped")
_RUN_STATUSES = (*_JOB_STATUSES, "PartiallyFailed")


def scenario_names(ctx: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """Return the scenarios whose names begin so, each with its title."""
    try:
        client = _client(ctx)
        reply = client.call(client.scenarios.ListScenarios, ListScenariosRequest())
    except _FAILURES:
        return []
    return [(s.name, s.title) for s in reply.scenarios if s.name.startswith(incomplete)]


def target_names(ctx: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """Return the targets whose names begin so, each with its URL."""
    try:
        client = _client(ctx)
        # One page: more would not help anyone to choose.
        reply = client.call(client.targets.ListTargets, ListTargetsRequest(page_size=PAGE))
    except _FAILURES:
        return []
    return [
        (target.cluster_name, target.cluster_api_url)
        for target in reply.targets
        if target.cluster_name.startswith(incomplete)
    ]


def run_names(ctx: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """Return the names of the newest runs, and what they are, if they begin so."""
    try:
        client = _client(ctx)
        reply = client.call(client.runs.ListRuns, ListRunsRequest(page_size=_MOST))
    except _FAILURES:
        return []
    short = ids.ends(run.run_id for run in reply.runs)
    return [
        (name, f"{run.scenario_name} {run.status}")
        for run in reply.runs
        for name in (short[run.run_id], run.run_id)
        # The whole id only for those who have begun it.
        if name.startswith(incomplete) and (name != run.run_id or incomplete)
    ]


def job_names(ctx: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """Return the newest jobs as RUN/TARGET, and what they are, if they begin so."""
    try:
        client = _client(ctx)
        reply = client.call(client.runs.ListScenarioRuns, ListScenarioRunsRequest(page_size=_MOST))
    except _FAILURES:
        return []
    named = [(columns.job_name(job, is_short=True), job) for job in reply.jobs]
    return [
        (name, f"{job.scenario_name} {job.status}")
        for name, job in named
        if name.startswith(incomplete)
    ]


def job_statuses(incomplete: str) -> list[str]:
    """Return the statuses of a job that begin so."""
    return [each for each in _JOB_STATUSES if each.startswith(incomplete)]


def run_statuses(incomplete: str) -> list[str]:
    """Return the statuses of a run that begin so."""
    return [each for each in _RUN_STATUSES if each.startswith(incomplete)]


def parameter_names(ctx: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """Return the parameters of the command's scenario that begin so, each with a `=` after it."""
    # While the value of an option is missing, an argument is not read yet.
    unread = next((each for each in ctx.args if not each.startswith("-")), "")
    scenario = ctx.params.get("name") or ctx.params.get("scenario") or unread
    if not scenario or "=" in incomplete:
        return []
    try:
        known = parameters.fields_of(_client(ctx), scenario)
    except _FAILURES:
        return []
    return [
        (f"{name}=", each.short_description)
        for each in known
        for name in (each.variable, each.name)
        # Of the two names of a parameter, the one that the user has begun.
        if name.startswith(incomplete) and (incomplete or name == each.variable)
    ]


def variable_names(ctx: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """Return the variables alone, as --env takes them."""
    return [each for each in parameter_names(ctx, incomplete) if each[0].isupper()]


def _client(ctx: typer.Context) -> Client:
    """Return a client of the server that the command line so far names."""
    given: dict[str, Any] = ctx.find_root().params
    chosen = server_choice.Given(
        # What comes from a variable is not among the parameters yet.
        server=given.get("server") or os.environ.get("KRKN_SERVER", ""),
        context=given.get("context") or os.environ.get("KRKN_CONTEXT", ""),
        tls=given.get("tls"),
        ca=given.get("ca"),
        cert=given.get("cert"),
        key=given.get("key"),
    )
    return server_choice.client(chosen, retries=0, seconds=_SECONDS)
