"""Who ran what, when, and how it ended, as words for people. Pure."""

from collections.abc import Mapping
from datetime import datetime

from krkn_grpc.cli import times
from krkn_grpc.cli.reports.model import Outcome, Report, Status
from krkn_grpc.cli.reports.texts import clean, count

Fact = tuple[str, str]
"""What is said, and the words."""

_KEPT = {
    "kept": "the one that was kept: the pod is gone",
    "kept, truncated": "its end, which was kept: the pod is gone",
}


def title(report: Report) -> str:
    """Return the scenario and the number of its targets."""
    return f"{clean(report.run.scenario_name)} on {count(len(report.outcomes), 'target')}"


def sentence(report: Report) -> str:
    """Return how it ended: `188 of 200 targets succeeded in 12m04s: 7 failed, 5 refused`."""
    counts = dict(report.counts)
    succeeded = counts.pop(Status.SUCCEEDED, 0)
    took = f" in {times.span(report.seconds)}" if report.duration is not None else ""
    others = _numbers(counts)
    said = f"{succeeded} of {count(len(report.outcomes), 'target')} succeeded{took}"
    return f"{said}: {others}." if others else f"{said}."


def byline(report: Report) -> str:
    """Return which run it is: `Run c0ffee00-... by ci at 2026-11-30 03:00:00 UTC`."""
    by = clean(report.run.requested_by)
    at = moment(report.run.created_at)
    parts = [f"Run {report.run.run_id}", f"by {by}" if by else "", f"at {at}" if at else ""]
    return " ".join(part for part in parts if part)


def note(report: Report) -> str:
    """Return what a reader must know before the rest, "" if nothing."""
    notes = []
    if (stop := report.run.stop) is not None:
        by = f" by {stop.by}" if stop.by else ""
        why = ", ".join(part for part in (stop.reason, stop.message.rstrip(".")) if part)
        notes.append(clean(f"A stop of the run was asked for{by}: {why}."))
    if not report.run.status.is_final:
        notes.append(f"The run had not ended when this report was made: {report.run.status}.")
    if any(each.status is Status.ABSENT for each in report.outcomes):
        notes.append("Absent: the job was deleted before the report was made, or is not made yet.")
        if report.run.status.is_final:
            notes.append(f"The run itself has counted {_numbers(report.counts_of_run)}.")
    elif gone := sum(each.is_gone for each in report.outcomes):
        jobs = count(gone, "job")
        notes.append(f"Deleted before the report was made: {jobs}, which the run saw succeed.")
    return " ".join(notes)


def of_run(report: Report) -> list[Fact]:
    """Return who ran what and when."""
    run = report.run
    facts = [
        ("Run", run.run_id),
        ("Status", str(run.status)),
        ("Requested by", clean(run.requested_by)),
        ("Requested at", moment(run.created_at)),
        ("First start", moment(run.start_time)),
        ("End", moment(run.completion_time)),
        ("Duration", times.span(report.seconds) if report.duration is not None else ""),
        ("Image", clean(run.scenario_image)),
        ("Timeout", times.span(run.timeout_seconds)),
        ("At most at once", str(run.max_parallel or "")),
        ("Failures allowed", "" if run.max_failures is None else str(run.max_failures)),
        ("Stops on", clean(", ".join(run.abort_on))),
        ("Labels", _pairs(run.labels)),
        ("Failed ones again", _again(report)),
        ("Service", clean(report.server)),
        ("Report made at", moment(report.made_at)),
    ]
    return [(name, words) for name, words in facts if words]


def inputs(report: Report) -> list[Fact]:
    """Return the parameters of the scenario; of what is secret the names alone."""
    run = report.run
    facts = [(clean(name), clean(value)) for name, value in sorted(run.environment.items())]
    facts += [(clean(name), "(secret)") for name in run.secret_environment_names]
    return facts + [(clean(name), "(file)") for name in run.file_names]


def of_target(outcome: Outcome) -> list[Fact]:
    """Return what is known of one target and its job, besides its message and log."""
    job, log = outcome.job, outcome.log
    is_more = log is not None and not log.is_whole
    more = "All that was kept" if log is not None and "truncated" in log.source else "Whole log"
    facts = [
        ("Reason", outcome.reason),
        ("Exit code", "" if job.exit_code is None else str(job.exit_code)),
        ("Duration", duration(outcome)),
        ("Start", moment(job.start_time)),
        ("End", moment(job.completion_time)),
        ("Target", clean(job.target_uuid)),
        ("Job", job.job_id),
        ("Pod", clean(job.pod_name)),
        ("Log", "" if log is None else _KEPT.get(log.source, "")),
        (more, f"krkn-grpc logs {job.job_id}" if is_more else ""),
    ]
    return [(name, words) for name, words in facts if words]


def why(outcome: Outcome) -> str:
    """Return in one line why a target is as it is: `ScenarioFailed (exit code 1): the sentence`."""
    code = outcome.job.exit_code
    reason = outcome.reason or str(outcome.status)
    said = reason if code is None else f"{reason} (exit code {code})"
    return f"{said}: {outcome.message}" if outcome.message else said


def log_title(outcome: Outcome) -> str:
    """Return a title for the lines of a log."""
    if outcome.log is None or not outcome.log.lines:
        return "Log"
    lines = count(len(outcome.log.lines), "line")
    return f"Log, {lines}" if outcome.log.is_whole else f"Log, the last {lines}"


def duration(outcome: Outcome) -> str:
    """Return how long a scenario ran: `1m02s`; "" if it has not started and ended."""
    return "" if outcome.seconds is None else times.span(outcome.seconds)


def moment(time: datetime | None) -> str:
    """Return a time in UTC: `2026-11-30 03:41:03 UTC`; "" for none."""
    return "" if time is None else f"{time:%Y-%m-%d %H:%M:%S} UTC"


def _numbers(counts: Mapping[Status, int]) -> str:
    return ", ".join(f"{number} {status.lower()}" for status, number in counts.items())


def _again(report: Report) -> str:
    is_any = any(each.status in (Status.FAILED, Status.REFUSED) for each in report.outcomes)
    return f"krkn-grpc runs rerun {report.run.run_id} --failed" if is_any else ""


def _pairs(labels: Mapping[str, str]) -> str:
    return clean(", ".join(f"{name}={value}" for name, value in sorted(labels.items())))
