"""Content of reports: runs as the service could have told them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from krkn_grpc.cli.reports.log_ends import log_end
from krkn_grpc.cli.reports.model import LogEnd, Report, report_of
from krkn_grpc.v1.runs_pb2 import Run, RunCounts, RunStop
from krkn_grpc.v1.scenario_runs_pb2 import (
    Job,
    ReportedHealthCheck,
    ReportedResult,
    ReportedScenario,
)

BEGAN = datetime(2026, 11, 30, 3, 0, tzinfo=UTC)
RUN = "c0ffee00-58a5-4cfa-8d29-5ad5f4c3f1ab"
SERVER = "krkn.example:443"
_FINAL = ("Succeeded", "Failed", "Stopped")

XSS = "</pre></title></style>--><script>document.title='hit'</script><img src=x onerror=alert(1)>"
"""HTML that shows itself wherever it is not escaped."""
HOSTILE = (
    f"{XSS} | a|b \\| `code` ``` ~~~ **bold** @everyone #1 [x](javascript:1) & ]]> "
    "\x1b[31mred\x1b[0m \x1b]0;title\x07 \x00\x08\ufffe \u202eevil"
)
"""The syntax of all forms, terminal escapes, and what is no character in XML."""
HOSTILE_LOG = f"{HOSTILE}\n````\n</details>\n# a heading\n| a | b |\n".encode() + b"\xff\xfe"


def moment(seconds: float) -> str:
    """The time so long after the run's begin."""
    return (BEGAN + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def a_job(number: int, status: str = "Succeeded", *, start: float | None = 0, **fields: Any) -> Job:
    """A job of a run that started so many seconds after it, and took one minute."""
    taken = fields.pop("seconds", 60)
    job = Job(
        job_id=f"01a224c3-2c8b-7d5c-8000-{number:012}",
        target_uuid=f"0b5e3a8e-9d64-4f63-9d5d-{number:012}",
        cluster_name=f"eu-west-{number:03}",
        scenario_name="pod-scenarios",
        run_id=RUN,
        status=status,
        pod_name=f"krkn-job-{number}",
    )
    if start is not None:
        job.start_time = moment(start)
        if status in _FINAL:
            job.completion_time = moment(start + taken)
    if (result := fields.pop("result", None)) is not None:
        job.result.CopyFrom(result)
    for name, value in fields.items():
        setattr(job, name, value)
    return job


def reported(
    name: str = "pod-scenarios", *, exit_status: int = 0, passed: bool = True
) -> ReportedResult:
    """What a scenario said of its run, which has no resiliency score of 100."""
    return ReportedResult(
        run_uuid="krkns-own",
        scenarios=[
            ReportedScenario(
                name=name,
                type="pod_disruption_scenarios",
                exit_status=exit_status,
                affected_pods=3,
                affected_nodes=1,
            )
        ],
        resiliency_score=87.5,
        passed_slos=7,
        total_slos=8,
        failed_alerts=2,
        health_checks=[ReportedHealthCheck(url=f"https://shop.example/{name}", passed=passed)],
    )


def refused(number: int, why: str) -> Job:
    """What is known of a target that got no job."""
    job = a_job(number, "Refused", start=None, message=why)
    job.ClearField("job_id")
    job.ClearField("pod_name")
    return job


def a_report(
    jobs: Sequence[Job],
    logs: Mapping[str, LogEnd] | None = None,
    *,
    stop: RunStop | None = None,
    **fields: Any,
) -> Report:
    """The report of a run with these jobs, made when it had ended."""
    counted = Counter(job.status for job in jobs)
    ends = [job.completion_time for job in jobs if job.HasField("completion_time")]
    values: dict[str, Any] = {
        "run_id": RUN,
        "status": "PartiallyFailed",
        "scenario_name": "pod-scenarios",
        "scenario_image": "quay.io/krkn-chaos/krkn-hub:pod-scenarios",
        "environment": {"NAMESPACE": "shop", "POD_LABEL": "app=cart"},
        "secret_environment_names": ["ES_PASSWORD"],
        "file_names": ["scenario.yaml"],
        "timeout_seconds": 3600,
        "labels": {"pipeline": "nightly"},
        "requested_by": "system:serviceaccount:ci:chaos",
        "created_at": moment(-5),
        "start_time": moment(0),
        "completion_time": max(ends, default=moment(0)),
        "max_parallel": 40,
        "counts": RunCounts(
            total=len(jobs),
            succeeded=counted["Succeeded"],
            failed=counted["Failed"],
            stopped=counted["Stopped"],
            refused=counted["Refused"],
        ),
    }
    run = Run(**(values | fields), stop=stop)
    made = BEGAN + timedelta(hours=1)
    return report_of(run, jobs, logs or {}, made_at=made, server=SERVER)


def of_many(count: int = 200) -> Report:
    """A run on many targets: most of them succeeded, and some are of each other kind."""
    jobs, logs = [], {}
    for number in range(count):
        start, seconds = 70.0 * (number // 40), 40 + number * 7 % 29
        if number % 29 == 7:
            job = a_job(number, "Failed", start=start, seconds=seconds, exit_code=1)
            job.reason = "ScenarioFailed"
            job.result.CopyFrom(reported(exit_status=1, passed=False))
            job.message = "the scenario failed: 2 pods did not come back within 120 s"
            lines = tuple(
                f"2026-11-30 03:01:{line:02},118 [INFO] pod cart-{line} of namespace shop"
                for line in range(50)
            )
            logs[job.job_id] = LogEnd(lines, is_whole=False)
        elif number % 67 == 11:
            job = a_job(number, "Failed", start=None, reason="ImagePullBackOff")
            job.message = "the image could not be pulled within the start deadline"
        elif number % 71 == 5:
            job = refused(number, "the target is not ready: its cluster does not answer")
        elif number % 83 == 9:
            job = a_job(number, "Stopped", start=start, seconds=9, reason="StopRequested")
            job.message = "a caller asked for it"
            logs[job.job_id] = LogEnd((), problem="the log is gone with the job's pod")
        else:
            job = a_job(number, start=start, seconds=seconds, exit_code=0, result=reported())
        jobs.append(job)
    return a_report(jobs, logs)


def hostile() -> Report:
    """A run in which each text that can come from elsewhere is HOSTILE."""
    job = a_job(1, "Failed", exit_code=1, result=reported(HOSTILE))
    job.result.run_uuid = job.result.scenarios[0].type = HOSTILE
    for name in ("cluster_name", "reason", "message", "pod_name"):
        setattr(job, name, HOSTILE)
    log = {job.job_id: log_end(HOSTILE_LOG, 50)}
    return a_report(
        [job, refused(2, HOSTILE), a_job(3, exit_code=0)],
        log,
        scenario_name=HOSTILE,
        scenario_image=HOSTILE,
        environment={HOSTILE: HOSTILE},
        secret_environment_names=[HOSTILE],
        file_names=[HOSTILE],
        labels={HOSTILE: HOSTILE},
        requested_by=HOSTILE,
        stop=RunStop(reason=HOSTILE, message=HOSTILE, by=HOSTILE),
    )
