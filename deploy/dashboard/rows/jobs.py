"""Jobs, and the runs and limits that decide when they start."""

from deploy.dashboard.model import Panel, Query, Row, quantiles

STOPPED_BY_RULES = (
    "AbortCondition|Blackout|BlackoutsUnknown|FailureThreshold|Halted|HaltsUnknown|QueueTimeout"
    "|RunDeleted|StopRequested|TargetBusy|WaitingForTurn"
)
"""Reasons of jobs that people, limits, halts, blackouts or alerts ended."""

_PENDING = "sum by (reason) (max by (namespace, reason) (krkn_jobs_pending{...}))"


def _by_phase(phases: str) -> Query:
    return Query(
        f'sum by (phase) (max by (namespace, phase) (krkn_jobs{{..., phase=~"{phases}"}}))',
        "{{phase}}",
    )


ROW = Row(
    "Jobs",
    (
        Panel(
            "Jobs that wait and run",
            "Pending jobs have not started; the next panel says what they wait for.",
            (_by_phase("Pending|Running"),),
            is_stacked=True,
        ),
        Panel(
            "What jobs wait for",
            "Without a reason nothing is in their way: the scenario starts as soon as Kubernetes "
            "runs the pod.",
            (Query(f"{_PENDING} > 0", "waits: {{reason}}"),),
            is_stacked=True,
            without_data="no job waits",
        ),
        Panel(
            "Time to start",
            "From a job's turn, which is its creation unless it has waited for a turn, to its "
            "scenario's start. Kubernetes tells the start to the second.",
            quantiles("krkn_job_start_delay_seconds"),
            unit="s",
        ),
        Panel(
            "Jobs that end",
            "By phase and reason. A Failed one with the reason ScenarioFailed, CriticalAlerts, "
            "HealthCheckFailed or ConfigurationError is what krkn says by its exit code; other "
            "reasons are the cluster's or ours.",
            (
                Query(
                    "60 * sum by (phase, reason) (rate(krkn_jobs_finished_total{...}[...])) > 0",
                    "{{phase}}: {{reason}}",
                ),
            ),
            unit="cpm",
            is_stacked=True,
        ),
        Panel(
            "Duration of jobs, median",
            "From a scenario's start to its job's end, half of the jobs take less, by final phase.",
            (
                Query(
                    "histogram_quantile(0.5, sum by (le, phase) "
                    "(rate(krkn_job_duration_seconds_bucket{...}[...])))",
                    "{{phase}}",
                ),
            ),
            unit="s",
        ),
        Panel(
            "Jobs that should have ended",
            "Running jobs whose timeout, or the request to stop them, is longer ago than their "
            "grace period. Their pod does not end: look at its node.",
            (Query("max by (namespace) (krkn_jobs_overdue{...})", "{{namespace}}"),),
            colors=((0, "green"), (0.5, "red")),
        ),
        Panel(
            "Jobs at risk",
            "In an hour, by reason. NodeLost: the node is gone, and the scenario may still run on "
            "it. AlreadyRan and GateRemoved: something else started the pod, or tried to.",
            (Query("sum by (reason) (increase(krkn_jobs_at_risk_total{...}[1h]))", "{{reason}}"),),
            colors=((0, "green"), (0.5, "red")),
        ),
        Panel(
            "Finished jobs that are kept",
            "Until the time that their request or the settings give.",
            (_by_phase("Succeeded|Failed|Stopped"),),
            is_stacked=True,
        ),
        Panel(
            "Conflicts",
            "Writes for a job that were not made because an object had changed: they are tried "
            "again. Many of them mean that something else writes to the same objects.",
            (Query("60 * sum(rate(krkn_job_conflicts_total{...}[...]))", "conflicts"),),
            unit="cpm",
        ),
        Panel(
            "Kept logs",
            "All together as they are stored; KRKN_KEEP_LOG_TOTAL_BYTES is the most that they may "
            "take.",
            (Query("max by (namespace) (krkn_kept_log_bytes{...})", "{{namespace}}"),),
            unit="bytes",
            width=12,
        ),
        Panel(
            "Kept logs that went for newer ones",
            "In an hour. Their readers are told that they are gone: raise the limit if they are "
            "wanted.",
            (Query("sum(increase(krkn_kept_logs_evicted_total{...}[1h]))", "logs"),),
            width=12,
        ),
        Panel(
            "Leftovers that were removed",
            "In an hour, by kind: Secrets and Leases that nothing owned any more.",
            (Query("sum by (kind) (increase(krkn_sweep_removed_total{...}[1h]))", "{{kind}}"),),
            width=12,
        ),
        Panel(
            "Events that were dropped",
            "Kubernetes Events in an hour that were not written: too many waited, or the API "
            "server refused them.",
            (Query("sum(increase(krkn_events_dropped_total{...}[1h]))", "events"),),
            width=12,
        ),
    ),
)

RUNS = Row(
    "Runs and limits",
    (
        Panel(
            "Halts and blackouts",
            "Those that there are; a blackout may be out of its hours. A halt, or a blackout that "
            "is in force, keeps jobs from starting.",
            (Query("sum by (kind) (max by (namespace, kind) (krkn_orders{...}))", "{{kind}}"),),
        ),
        Panel(
            "Jobs that people or rules ended",
            "Stopped by a request, a halt, a blackout, an alert or a limit of their run, or not "
            "started in the time that they had.",
            (
                Query(
                    "60 * sum by (reason) (rate(krkn_jobs_finished_total"
                    f'{{..., reason=~"{STOPPED_BY_RULES}"}}[...])) > 0',
                    "{{reason}}",
                ),
            ),
            unit="cpm",
            is_stacked=True,
        ),
        Panel(
            "Reconciles of runs",
            "They say which jobs of a run may start.",
            (
                Query(
                    "sum by (result) "
                    '(rate(controller_runtime_reconcile_total{..., controller="runs"}[...]))',
                    "{{result}}",
                ),
            ),
            unit="ops",
        ),
    ),
)
