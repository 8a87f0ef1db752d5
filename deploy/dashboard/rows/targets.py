"""Targets, and the probes that say whether they are ready."""

from deploy.dashboard.model import Panel, Query, Row, p95

ROW = Row(
    "Targets",
    (
        Panel(
            "Targets by reason",
            "Reachable ones are ready. The targets with another reason are in the list of targets "
            "with ready=false.",
            (
                Query(
                    "sum by (ready, reason) "
                    "(max by (namespace, ready, reason) (krkn_targets{...})) > 0",
                    "{{reason}} (ready: {{ready}})",
                ),
            ),
            is_stacked=True,
            without_data="no targets",
        ),
        Panel(
            "Probes",
            "By result.",
            (
                Query(
                    "60 * sum by (result) (rate(krkn_target_probe_seconds_count{...}[...])) > 0",
                    "{{result}}",
                ),
            ),
            unit="cpm",
            is_stacked=True,
        ),
        Panel(
            "Time of probes, p95",
            "95 % take less, by result. The probe of a cluster that does not answer takes as long "
            "as it may.",
            (p95("krkn_target_probe_seconds", "result"),),
            unit="s",
        ),
        Panel(
            "Age of the oldest check",
            "Time since the check of the target that has waited longest. It grows when there are "
            "too many targets, or too many that do not answer, for the workers.",
            (Query("max(krkn_target_probe_oldest_seconds{...})", "oldest"),),
            unit="s",
            width=12,
        ),
        Panel(
            "Age of the provider's heartbeat",
            "Time since the leader renewed it. Other tools take a provider with an old heartbeat "
            "for dead.",
            (
                Query(
                    "time() - max by (namespace) "
                    "(krkn_provider_heartbeat_timestamp_seconds{...} > 0)",
                    "{{namespace}}",
                ),
            ),
            unit="s",
            width=12,
        ),
    ),
)
