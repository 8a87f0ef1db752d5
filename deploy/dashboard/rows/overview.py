"""What to look at first: one figure for each question."""

from deploy.dashboard.model import Panel, Query, Row

AT_FAULT = "Unknown|DeadlineExceeded|ResourceExhausted|Unimplemented|Internal|Unavailable|DataLoss"
"""Codes of calls that the service did not answer, though the caller made no mistake."""

_ALL = "sum(rate(grpc_server_handled_total{...}[...]))"
_FAILED = f'sum(rate(grpc_server_handled_total{{..., grpc_code=~"{AT_FAULT}"}}[...]))'
_READY = 'sum(max by (namespace, reason) (krkn_targets{..., ready="true"}))'
_TARGETS = "sum(max by (namespace, ready, reason) (krkn_targets{...}))"
_STARTS = "sum by (le) (rate(krkn_job_start_delay_seconds_bucket{...}[...]))"

ROW = Row(
    "First look",
    (
        Panel(
            "Leaders",
            "Controllers that hold the Lease of an installation. 0: no job starts and no target "
            "is checked. 2: two controllers act at once; see the row Leader.",
            (Query("sum by (namespace) (leader_election_master_status{...})", "{{namespace}}"),),
            unit="none",
            kind="stat",
            width=3,
            colors=((0, "red"), (1, "green"), (2, "red")),
            without_data="no controller",
        ),
        Panel(
            "API server",
            "1: all caches are complete, and the API server answers for them. 0: what callers read "
            "may be old, and jobs wait; see the row Kubernetes API.",
            (Query("min(krkn_cache_synced{...})"),),
            unit="none",
            kind="stat",
            width=3,
            colors=((0, "red"), (1, "green")),
            without_data="no process",
        ),
        Panel(
            "Failing calls",
            "Share of the calls that the service did not answer though the caller made no mistake. "
            "What Envoy refuses is not among them; see the row Envoy.",
            (Query(f"({_FAILED} or vector(0)) / ({_ALL} > 0)"),),
            unit="percentunit",
            kind="stat",
            width=3,
            colors=((0, "green"), (0.01, "orange"), (0.05, "red")),
            without_data="no calls",
        ),
        Panel(
            "Time to start, p95",
            "Time from a job's turn to its scenario's start, which 95 % of the jobs do not exceed. "
            "It grows with a slow API server and with a cluster that has no room.",
            (Query(f"histogram_quantile(0.95, {_STARTS} > 0)"),),
            unit="s",
            kind="stat",
            width=3,
            colors=((0, "green"), (30, "orange"), (60, "red")),
            without_data="no starts",
        ),
        Panel(
            "Waiting jobs",
            "Jobs that have not started. When they grow, look at the row Jobs.",
            (Query('sum(max by (namespace) (krkn_jobs{..., phase="Pending"}))'),),
            unit="none",
            kind="stat",
            width=3,
        ),
        Panel(
            "Running jobs",
            "Jobs whose scenario runs now.",
            (Query('sum(max by (namespace) (krkn_jobs{..., phase="Running"}))'),),
            unit="none",
            kind="stat",
            width=3,
        ),
        Panel(
            "At risk, 24 hours",
            "Jobs that ended while their scenario may still run, or that something else tried to "
            "start. Look at each one: its target cluster may be under chaos that no job knows of.",
            (Query("sum(increase(krkn_jobs_at_risk_total{...}[1d]))"),),
            unit="none",
            kind="stat",
            width=3,
            colors=((0, "green"), (0.5, "red")),
        ),
        Panel(
            "Ready targets",
            "Share of the targets; the row Targets has the reasons of the others.",
            (Query(f"({_READY} or vector(0)) / ({_TARGETS} > 0)"),),
            unit="percentunit",
            kind="stat",
            width=3,
            colors=((0, "red"), (0.8, "orange"), (0.95, "green")),
            without_data="no targets",
        ),
    ),
)
