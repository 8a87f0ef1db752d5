"""Calls as the server and the log reader answer them."""

from deploy.dashboard.model import Panel, Query, Row, p95, quantiles

_UNARY = ', grpc_type="unary"'
_STARTED = "sum by (grpc_method) (grpc_server_started_total{...})"
_HANDLED = "sum by (grpc_method) (grpc_server_handled_total{...})"
_HITS = 'sum by (kind) (rate(krkn_review_cache_total{..., result="hit"}[...]))'
_QUESTIONS = "sum by (kind) (rate(krkn_review_cache_total{...}[...]))"

ROW = Row(
    "Calls",
    (
        Panel(
            "Calls",
            "Calls that ended, by method. A watch or a log ends when its caller leaves.",
            (
                Query(
                    "sum by (grpc_method) (rate(grpc_server_handled_total{...}[...])) > 0",
                    "{{grpc_method}}",
                ),
            ),
            unit="reqps",
            is_stacked=True,
        ),
        Panel(
            "Calls that did not end with OK",
            "By method and code. Unavailable, Internal and DeadlineExceeded are ours; "
            "ResourceExhausted says that a limit of calls is reached; most others are the "
            "caller's. Canceled is a caller that left, the usual end of a watch.",
            (
                Query(
                    "sum by (grpc_method, grpc_code) "
                    '(rate(grpc_server_handled_total{..., grpc_code!="OK"}[...])) > 0',
                    "{{grpc_method}}: {{grpc_code}}",
                ),
            ),
            unit="reqps",
            without_data="all calls ended with OK",
        ),
        Panel(
            "Time of unary calls",
            "From arrival to end, authentication included. When it grows: the time of requests to "
            "the API server, then the lag of the event loop.",
            quantiles("grpc_server_handling_seconds", _UNARY),
            unit="s",
        ),
        Panel(
            "Time of unary calls by method, p95",
            "95 % of a method's calls take less.",
            (p95("grpc_server_handling_seconds", "grpc_method", _UNARY),),
            unit="s",
        ),
        Panel(
            "Calls under way",
            "Calls that have arrived and not ended, watches and logs among them.",
            (Query(f"{_STARTED} - ({_HANDLED} or 0 * {_STARTED}) > 0", "{{grpc_method}}"),),
            is_stacked=True,
        ),
        Panel(
            "Places that are taken",
            "Calls that hold a place of a pool, in all processes.",
            (Query("sum by (pool) (krkn_calls_open{...})", "{{pool}}"),),
        ),
        Panel(
            "Calls refused for want of a place",
            "Their pool, or the half of it that one caller may have, was full: the callers get "
            "ResourceExhausted.",
            (Query("60 * sum by (pool) (rate(krkn_calls_refused_total{...}[...]))", "{{pool}}"),),
            unit="cpm",
        ),
        Panel(
            "Time of reviews, p95",
            "TokenReview and SubjectAccessReview, with the wait for a turn: 95 % take less. A call "
            "whose caller is not known yet waits for them.",
            (p95("krkn_review_seconds", "kind"),),
            unit="s",
        ),
        Panel(
            "Reviews answered from the cache",
            "Share of the questions about tokens and permissions that needed no new review.",
            (Query(f"{_HITS} / ({_QUESTIONS} > 0)", "{{kind}}"),),
            unit="percentunit",
            maximum=1,
        ),
    ),
)
