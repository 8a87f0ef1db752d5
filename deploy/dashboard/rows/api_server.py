"""What server, log reader and controller ask of the API server of our own cluster."""

from deploy.dashboard.model import Panel, Query, Row, p95

_REFUSED = ', code=~"<error>|[45].."'

ROW = Row(
    "Kubernetes API",
    (
        Panel(
            "Requests",
            "By process and HTTP status; <error> is no answer at all.",
            (
                Query(
                    "sum by (container, code) (rate(rest_client_requests_total{...}[...])) > 0",
                    "{{container}}: {{code}}",
                ),
            ),
            unit="reqps",
            is_stacked=True,
        ),
        Panel(
            "Requests that were refused or not answered",
            "404 and 409 are part of normal work. 403: a role is missing. 429 and 5xx: the API "
            "server is overloaded or broken.",
            (
                Query(
                    "sum by (code, method, resource) "
                    f"(rate(rest_client_requests_total{{...{_REFUSED}}}[...])) > 0",
                    "{{code}} {{method}} {{resource}}",
                ),
            ),
            unit="reqps",
            without_data="all were answered",
        ),
        Panel(
            "Time of requests by verb, p95",
            "95 % take less. Watches and logs are not among them.",
            (p95("rest_client_request_duration_seconds", "verb"),),
            unit="s",
        ),
        Panel(
            "Time of requests by resource, p95",
            "95 % take less.",
            (p95("rest_client_request_duration_seconds", "resource"),),
            unit="s",
        ),
        Panel(
            "Writes of unknown outcome",
            "In an hour: writes that were sent and not answered, so that they may have taken "
            "effect. They are made again in a way that does no harm.",
            (
                Query(
                    "sum by (container) (increase(krkn_kube_outcome_unknown_total{...}[1h]))",
                    "{{container}}",
                ),
            ),
        ),
        Panel(
            "Caches in sync",
            "0 in any process: what it reads of this kind may be old.",
            (Query("min by (kind) (krkn_cache_synced{...})", "{{kind}}"),),
            maximum=1,
        ),
        Panel(
            "Objects in caches",
            "The largest cache of each kind. Memory grows with them.",
            (Query("max by (kind) (krkn_cache_objects{...})", "{{kind}}"),),
        ),
        Panel(
            "Time since the last event of a watch",
            "The API server sends a bookmark about every minute, even when nothing changes.",
            (
                Query(
                    "time() - min by (kind) (krkn_cache_last_event_timestamp_seconds{...} > 0)",
                    "{{kind}}",
                ),
            ),
            unit="s",
        ),
        Panel(
            "Watches that ended",
            "In an hour. The API server ends each watch after some minutes (ended); other reasons "
            "are errors.",
            (
                Query(
                    "sum by (kind, reason) (increase(krkn_watch_restarts_total{...}[1h])) > 0",
                    "{{kind}}: {{reason}}",
                ),
            ),
        ),
    ),
    is_open=False,
)
