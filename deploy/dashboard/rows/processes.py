"""The processes themselves: versions, processor, memory, files."""

from deploy.dashboard.model import Panel, Query, Row

_NAME = "{{container}} {{pod}}"
_LAG = "sum by (le, container) (rate(krkn_event_loop_lag_seconds_bucket{...}[...]))"

ROW = Row(
    "Processes",
    (
        Panel(
            "Versions",
            "What runs. Two versions at once are a rollout that goes on, or that is stuck.",
            (
                Query(
                    "count by (container, version, revision) (krkn_build_info{...})",
                    "{{container}} {{version}} ({{revision}})",
                ),
            ),
            unit="none",
            kind="stat",
            shows_names=True,
        ),
        Panel(
            "Processor",
            "Processors that a process uses.",
            (Query("rate(process_cpu_seconds_total{...}[...])", _NAME),),
        ),
        Panel(
            "Memory",
            "Resident memory. The limit of the container is in its manifest.",
            (Query("process_resident_memory_bytes{...}", _NAME),),
            unit="bytes",
        ),
        Panel(
            "Lag of the event loop, p99",
            "How late the event loop is: 99 % of the times it is less. A process that lags by more "
            "than a tenth of a second has too little CPU, or does too much at once.",
            (Query(f"histogram_quantile(0.99, {_LAG})", "{{container}}"),),
            unit="s",
        ),
        Panel(
            "Open files",
            "Share of the files and connections that a process may open.",
            (Query("process_open_fds{...} / process_max_fds{...}", _NAME),),
            unit="percentunit",
            maximum=1,
        ),
        Panel(
            "Spans of traces",
            "Spans that were sent, and those that were dropped, because the collector does not "
            "answer or there are too many. Without tracing there are none.",
            (
                Query(
                    "sum by (container) (rate(krkn_spans_sent_total{...}[...]))",
                    "{{container}}: sent",
                ),
                Query(
                    "sum by (container, reason) (rate(krkn_spans_dropped_total{...}[...]))",
                    "{{container}}: dropped, {{reason}}",
                ),
            ),
            unit="ops",
        ),
        Panel(
            "Time since the start",
            "A line that falls to zero is a restart.",
            (Query("time() - process_start_time_seconds{...}", _NAME),),
            unit="dtdurations",
            width=24,
        ),
    ),
    is_open=False,
)
