"""What tables show of targets, jobs, runs, halts, clusters and scenarios."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Generic, TypeVar

from google.protobuf.message import Message

from krkn_grpc.cli import ids, results, times
from krkn_grpc.cli.table import Column
from krkn_grpc.v1.halts_pb2 import Halt
from krkn_grpc.v1.runs_pb2 import Run
from krkn_grpc.v1.scenario_runs_pb2 import Job
from krkn_grpc.v1.scenarios_pb2 import ScenarioSummary
from krkn_grpc.v1.target_requests_pb2 import Cluster
from krkn_grpc.v1.targets_pb2 import Target

M = TypeVar("M", bound=Message)


@dataclass(frozen=True)
class Field(Generic[M]):
    """A column and the text in it."""

    column: Column
    text: Callable[[M], str]
    is_wide: bool = False
    """Only `-o wide` shows it."""
    is_id: bool = False
    """A terminal shows the shortest end that tells it from the others in the table."""


@dataclass(frozen=True)
class Kind(Generic[M]):
    """How a kind of thing is listed."""

    plural: str
    """The field of a reply that has them."""
    name: Callable[[M], str]
    """What the command takes for one of them."""
    fields: Sequence[Field[M]]
    none: str
    """Said where there are none."""
    in_words: Mapping[str, Callable[[M], str]] = field(default_factory=dict)
    """By the name of a field in JSON: what people read of it, where one thing is shown."""


def cells(
    kind: Kind[M], things: Iterable[M], *, is_wide: bool, has_whole_ids: bool
) -> tuple[list[Column], list[list[str]]]:
    """Return the columns of a table, and its rows."""
    listed = list(things)
    fields = [each for each in kind.fields if is_wide or not each.is_wide]
    texts = [[column.text(each) for each in listed] for column in fields]
    if not has_whole_ids:
        texts = [
            list(map(ids.ends(column).__getitem__, column)) if shown.is_id else column
            for shown, column in zip(fields, texts, strict=True)
        ]
    rows = [list(row) for row in zip(*texts, strict=True)]
    return [each.column for each in fields], rows


def target_of(job: Job) -> str:
    """Return the name of the job's cluster when it was asked for, its target's uuid without one."""
    return job.cluster_name or job.target_uuid


def job_name(job: Job, *, is_short: bool) -> str:
    """Return RUN/TARGET, with an end of the run's id if it is short; without a run the job's id."""
    if not job.run_id:
        return job.job_id
    run = ids.end(job.run_id) if is_short else job.run_id
    return f"{run}/{target_of(job)}"


def _age(moment: str) -> str:
    return times.age(moment, datetime.now(UTC))


def _time(thing: Job | Run) -> str:
    return times.duration(thing.start_time, thing.completion_time, datetime.now(UTC))


def _exit(job: Job) -> str:
    return str(job.exit_code) if job.HasField("exit_code") else ""


def _labels(labels: Iterable[tuple[str, str]]) -> str:
    return ",".join(f"{key}={value}" for key, value in sorted(labels))


def _halted(halt: Halt) -> str:
    if halt.HasField("message"):
        return f"all (not a selector: {halt.target_selector})"
    return halt.target_selector or "all"


TARGETS = Kind[Target](
    "targets",
    lambda target: target.cluster_name,
    (
        Field(Column("NAME", least=12), lambda target: target.cluster_name),
        Field(Column("READY"), lambda target: "yes" if target.ready else "no"),
        Field(Column("REASON", least=11), lambda target: target.reason),
        Field(Column("VERSION", least=7, drop=2), lambda target: target.server_version),
        Field(Column("AGE", is_right=True), lambda target: _age(target.created_at)),
        Field(Column("LABELS", least=12, drop=1), lambda target: _labels(target.labels.items())),
        Field(Column("API URL", least=20, drop=3), lambda target: target.cluster_api_url),
        Field(Column("CREDENTIAL"), lambda target: target.secret_type, is_wide=True),
        Field(Column("UUID"), lambda target: target.uuid, is_wide=True),
        Field(Column("MESSAGE"), lambda target: target.message, is_wide=True),
    ),
    "There are no targets. To register one: krkn-grpc targets add",
)
JOBS = Kind[Job](
    "jobs",
    lambda job: job.job_id,
    (
        Field(Column("TARGET", least=20), target_of),
        Field(Column("SCENARIO", least=12), lambda job: job.scenario_name),
        Field(Column("STATUS"), lambda job: job.status),
        Field(Column("EXIT", is_right=True), _exit),
        Field(Column("REASON", least=11, drop=2), lambda job: job.reason),
        Field(Column("TIME", is_right=True), _time),
        Field(Column("AGE", is_right=True), lambda job: _age(job.created_at)),
        Field(Column("RUN"), lambda job: job.run_id, is_id=True),
        Field(Column("ID", drop=1), lambda job: job.job_id, is_id=True),
        Field(Column("SCORE", is_right=True), results.score, is_wide=True),
        Field(Column("BY"), lambda job: job.requested_by, is_wide=True),
        Field(Column("LABELS"), lambda job: _labels(job.labels.items()), is_wide=True),
        Field(Column("MESSAGE"), lambda job: job.message, is_wide=True),
    ),
    "There are no such jobs.",
    {"result": results.in_words},
)
OUTCOMES = Kind[Job](
    "jobs",
    lambda job: job.job_id,
    (
        Field(Column("TARGET", least=12), target_of),
        Field(Column("STATUS"), lambda job: job.status),
        Field(Column("EXIT", is_right=True), _exit),
        Field(Column("TIME", is_right=True), _time),
        Field(Column("REASON", least=11), lambda job: job.reason or job.message),
        Field(Column("ID", drop=1), lambda job: job.job_id, is_id=True),
        Field(Column("SCORE", is_right=True), results.score, is_wide=True),
        Field(Column("MESSAGE"), lambda job: job.message, is_wide=True),
    ),
    "The run has no jobs.",
)
"""The jobs of one run."""
RUNS = Kind[Run](
    "runs",
    lambda run: run.run_id,
    (
        Field(Column("RUN"), lambda run: run.run_id, is_id=True),
        Field(Column("SCENARIO", least=12), lambda run: run.scenario_name),
        Field(Column("STATUS"), lambda run: run.status),
        Field(
            Column("OK", is_right=True), lambda run: f"{run.counts.succeeded}/{run.counts.total}"
        ),
        Field(
            Column("FAILED", is_right=True),
            lambda run: str(run.counts.failed + run.counts.refused or ""),
        ),
        Field(Column("TIME", is_right=True), _time),
        Field(Column("AGE", is_right=True), lambda run: _age(run.created_at)),
        Field(Column("BY", least=8, drop=2), lambda run: run.requested_by),
        Field(Column("LABELS", least=12, drop=1), lambda run: _labels(run.labels.items())),
        Field(Column("IMAGE"), lambda run: run.scenario_image, is_wide=True),
    ),
    "There are no such runs.",
)
HALTS = Kind[Halt](
    "halts",
    lambda halt: halt.name,
    (
        Field(Column("NAME"), lambda halt: halt.name),
        Field(Column("TARGETS", least=12), _halted),
        Field(Column("BY", least=8), lambda halt: halt.by),
        Field(Column("AGE", is_right=True), lambda halt: _age(halt.since)),
        Field(Column("REASON", least=12), lambda halt: halt.reason),
    ),
    "There are no halts.",
)
CLUSTERS = Kind[Cluster](
    "clusters",
    lambda cluster: cluster.cluster_name,
    (
        Field(Column("PROVIDER", least=12), lambda cluster: cluster.provider),
        Field(Column("CLUSTER", least=12), lambda cluster: cluster.cluster_name),
        Field(Column("API URL", least=20), lambda cluster: cluster.cluster_api_url),
        Field(Column("TARGET"), lambda cluster: cluster.target_uuid, is_id=True),
    ),
    "No provider knows a cluster.",
)
SCENARIOS = Kind[ScenarioSummary](
    "scenarios",
    lambda scenario: scenario.name,
    (
        Field(Column("NAME"), lambda scenario: scenario.name),
        Field(Column("TITLE", least=12), lambda scenario: scenario.title),
    ),
    "The catalogue is empty.",
)
