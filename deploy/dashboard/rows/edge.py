"""Envoy: what comes from callers, and what it refuses before the server sees it."""

from deploy.dashboard.model import Panel, Query, Row

"""What Envoy says without a certificate: the largest number of 32 bits."""

_BUCKETS = "sum by (le) (rate(envoy_http_downstream_rq_time_bucket{...}[...]))"
_OVERLOAD = "envoy_overload_envoy_overload_actions"
_PRESSURE = "envoy_overload_envoy_resource_monitors"
_EXPIRING = "envoy_listener_ssl_certificate_expiration_unix_time_seconds"

ROW = Row(
    "Envoy",
    (
        Panel(
            "Requests of callers",
            "By class of HTTP status. gRPC calls have status 2xx whatever their code is.",
            (
                Query(
                    "sum by (envoy_response_code_class) "
                    "(rate(envoy_http_downstream_rq_xx{...}[...]))",
                    "{{envoy_response_code_class}}xx",
                ),
            ),
            unit="reqps",
            is_stacked=True,
        ),
        Panel(
            "Time of requests",
            "As callers see it. Watches and logs take as long as their callers stay.",
            (
                Query(f"histogram_quantile(0.5, {_BUCKETS})", "median"),
                Query(f"histogram_quantile(0.95, {_BUCKETS})", "p95"),
            ),
            unit="ms",
        ),
        Panel(
            "Requests and connections",
            "Of callers, now.",
            (
                Query("sum(envoy_http_downstream_rq_active{...})", "requests"),
                Query("sum(envoy_http_downstream_cx_active{...})", "connections"),
                Query("sum(envoy_http_downstream_cx_ssl_active{...})", "with TLS"),
            ),
        ),
        Panel(
            "Refused for the limit of an address",
            "The address sends more than KRKN_RATE_LIMIT allows; callers get 429.",
            (
                Query(
                    "60 * sum(rate(envoy_http_local_rate_limit_rate_limited{...}[...]))", "refused"
                ),
            ),
            unit="cpm",
        ),
        Panel(
            "Requests that were cut off",
            "Too large, not received in time, reset by the caller or by us.",
            (
                Query(
                    "60 * sum(rate(envoy_http_downstream_rq_too_large{...}[...]))",
                    "request too large",
                ),
                Query("60 * sum(rate(envoy_http_rs_too_large{...}[...]))", "reply too large"),
                Query("60 * sum(rate(envoy_http_downstream_rq_timeout{...}[...]))", "timeout"),
                Query("60 * sum(rate(envoy_http_downstream_rq_rx_reset{...}[...]))", "by callers"),
                Query("60 * sum(rate(envoy_http_downstream_rq_tx_reset{...}[...]))", "by us"),
            ),
            unit="cpm",
        ),
        Panel(
            "Overload",
            "How near memory and connections are to their limits; from 50 % on Envoy ends what is "
            "idle, later it refuses new work.",
            (
                Query(f"max({_PRESSURE}_fixed_heap_pressure{{...}}) / 100", "memory"),
                Query(
                    f"max({_PRESSURE}_global_downstream_max_connections_pressure{{...}}) / 100",
                    "connections",
                ),
                Query(
                    f"max({_OVERLOAD}_stop_accepting_requests_active{{...}})",
                    "refuses new requests",
                ),
                Query(
                    f"max({_OVERLOAD}_reset_high_memory_stream_active{{...}})",
                    "resets large streams",
                ),
            ),
            unit="percentunit",
            maximum=1,
        ),
        Panel(
            "Requests to server and log reader",
            "By class of HTTP status.",
            (
                Query(
                    "sum by (envoy_cluster_name, envoy_response_code_class) "
                    "(rate(envoy_cluster_upstream_rq_xx{...}[...]))",
                    "{{envoy_cluster_name}}: {{envoy_response_code_class}}xx",
                ),
            ),
            unit="reqps",
            is_stacked=True,
        ),
        Panel(
            "Connections to server and log reader that failed",
            "The process does not run, or does not answer.",
            (
                Query(
                    "60 * sum by (envoy_cluster_name) "
                    "(rate(envoy_cluster_upstream_cx_connect_fail{...}[...]))",
                    "{{envoy_cluster_name}}",
                ),
            ),
            unit="cpm",
        ),
        Panel(
            "Connections that were not accepted",
            "There were too many, or Envoy was overloaded.",
            (
                Query(
                    "60 * sum(rate(envoy_listener_downstream_cx_overflow{...}[...]))", "too many"
                ),
                Query(
                    "60 * sum(rate(envoy_listener_downstream_cx_overload_reject{...}[...]))",
                    "overload",
                ),
            ),
            unit="cpm",
        ),
        Panel(
            "The certificate expires in",
            "Days until the first certificate of callers' connections expires, in the pod that is "
            "worst off.",
            (Query(f"min({_EXPIRING}{{...}} - time()) / 86400", "days"),),
            unit="d",
            kind="stat",
            colors=((0, "red"), (7, "orange"), (14, "green")),
            without_data="no TLS",
        ),
        Panel(
            "Memory of Envoy",
            "Allocated, by pod.",
            (Query("sum by (pod) (envoy_server_memory_allocated{...})", "{{pod}}"),),
            unit="bytes",
            width=16,
        ),
    ),
    is_open=False,
)
