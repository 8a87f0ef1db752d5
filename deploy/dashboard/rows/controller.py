"""The controller's queues and reconciles, and its leader."""

from deploy.dashboard.model import Panel, Query, Row, p95

_ACTIVE = "sum by (controller) (controller_runtime_active_workers{...})"
_WORKERS = "sum by (controller) (controller_runtime_max_concurrent_reconciles{...})"

ROW = Row(
    "Controller",
    (
        Panel(
            "Keys that wait",
            "Depth of each queue. When it stays high, workers are busy or wait for the API server.",
            (Query("sum by (name) (workqueue_depth{...})", "{{name}}"),),
        ),
        Panel(
            "Wait in the queue, p95",
            "95 % of the keys wait less.",
            (p95("workqueue_queue_duration_seconds", "name"),),
            unit="s",
        ),
        Panel(
            "Work on a key, p95",
            "95 % take less.",
            (p95("workqueue_work_duration_seconds", "name"),),
            unit="s",
        ),
        Panel(
            "Keys that were queued",
            "Keys that were added to each queue.",
            (Query("sum by (name) (rate(workqueue_adds_total{...}[...]))", "{{name}}"),),
            unit="ops",
        ),
        Panel(
            "Retries",
            "Keys that are reconciled again because the last time failed.",
            (Query("60 * sum by (name) (rate(workqueue_retries_total{...}[...]))", "{{name}}"),),
            unit="cpm",
        ),
        Panel(
            "Reconciles",
            "By result. An error is in the controller's log; requeue is an object that had changed "
            "in the meantime.",
            (
                Query(
                    "sum by (result) (rate(controller_runtime_reconcile_total{...}[...]))",
                    "{{result}}",
                ),
            ),
            unit="ops",
            is_stacked=True,
        ),
        Panel(
            "Time of reconciles, p95",
            "95 % take less.",
            (p95("controller_runtime_reconcile_time_seconds", "controller"),),
            unit="s",
        ),
        Panel(
            "Busy workers",
            "Share of the leader's workers that reconcile a key now.",
            (Query(f"{_ACTIVE} / ({_WORKERS} > 0)", "{{controller}}"),),
            unit="percentunit",
            maximum=1,
        ),
        Panel(
            "Reconciles under way",
            "Time that the longest one has taken so far, and the time of all of them together. A "
            "line that only rises is a reconcile that does not end.",
            (
                Query(
                    "max by (name) (workqueue_longest_running_processor_seconds{...})",
                    "{{name}}: longest",
                ),
                Query("sum by (name) (workqueue_unfinished_work_seconds{...})", "{{name}}: all"),
            ),
            unit="s",
        ),
    ),
    is_open=False,
)

LEADER = Row(
    "Leader",
    (
        Panel(
            "Leader by pod",
            "1 in the pod that leads, 0 in all others.",
            (Query("max by (pod) (leader_election_master_status{...})", "{{pod}}"),),
            width=12,
            maximum=2,
        ),
        Panel(
            "New leaders",
            "In an hour. More than a rollout explains: the leader cannot renew its Lease in time, "
            "because of the API server or of too little CPU.",
            (Query("sum(increase(krkn_leader_transitions_total{...}[1h]))", "new leaders"),),
            width=12,
        ),
    ),
    is_open=False,
)
