"""All metrics of server and controller: names, labels, buckets. No other file has one.

One list, so that it can be read as a whole; it is longer than other files for that.

Rules for labels: never an id, a name, a user, an image, a URL or a message. Each label has a small
set of values that this project defines; a value from elsewhere is counted as `Other`
(docs/decisions/0046). A time is in seconds.

Names that others have coined are kept, so that their dashboards and alerts work: `grpc_server_*`
of go-grpc-middleware, `rest_client_*` of client-go, `workqueue_*`, `controller_runtime_*` and
`leader_election_*` of controller-runtime.
"""

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
)

# They would be one more series for each counter and histogram, of the time of its first use.
disable_created_metrics()  # type: ignore[no-untyped-call]

SHARED, SERVER, CONTROLLER = (CollectorRegistry(auto_describe=True) for _ in range(3))
"""The metrics of both processes, and of one of them."""

OTHER = "Other"
"""Stands for every value of a label that is not in its set."""

_CALLS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60)
_WRITES = (0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 15)
_WORK = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 5, 30)
_STARTS = (0.25, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 1_800, 3_600)
_DURATIONS = (5, 15, 30, 60, 120, 300, 600, 1_200, 1_800, 3_600, 7_200, 21_600)
_PROBES = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_LAGS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5)

# --- both processes ---

ProcessCollector(registry=SHARED)
BUILD_INFO = Gauge(
    "krkn_build_info",
    "1; the labels say what runs.",
    ["version", "revision"],
    registry=SHARED,
)
EVENT_LOOP_LAG = Histogram(
    "krkn_event_loop_lag_seconds",
    "How late the event loop woke a task that slept for a second.",
    buckets=_LAGS,
    registry=SHARED,
)
REST_REQUESTS = Counter(
    "rest_client_requests_total",
    "Requests to the API server by HTTP status; the code `<error>` is no answer.",
    ["code", "method", "resource"],
    registry=SHARED,
)
REST_SECONDS = Histogram(
    "rest_client_request_duration_seconds",
    "Time from a request to the API server to its whole answer; not of watches and logs.",
    ["verb", "resource"],
    buckets=_WRITES,
    registry=SHARED,
)
OUTCOME_UNKNOWN = Counter(
    "krkn_kube_outcome_unknown_total",
    "Writes that were sent to the API server and not answered: they may have taken effect.",
    registry=SHARED,
)
CACHE_OBJECTS = Gauge(
    "krkn_cache_objects",
    "Objects in the cache of a kind, as the watch has reported them.",
    ["kind"],
    registry=SHARED,
)
CACHE_SYNCED = Gauge(
    "krkn_cache_synced",
    "1 while the cache of a kind is complete and the API server answers for it, else 0.",
    ["kind"],
    registry=SHARED,
)
CACHE_LAST_EVENT = Gauge(
    "krkn_cache_last_event_timestamp_seconds",
    "When the watch of a kind brought the last change or bookmark, as a Unix time.",
    ["kind"],
    registry=SHARED,
)
WATCH_RESTARTS = Counter(
    "krkn_watch_restarts_total",
    "Watches that ended, by cause; an API server ends each one after some minutes (`ended`).",
    ["kind", "reason"],
    registry=SHARED,
)
SPANS_SENT = Counter(
    "krkn_spans_sent_total",
    "Spans that the receiver of traces has taken.",
    registry=SHARED,
)
SPANS_DROPPED = Counter(
    "krkn_spans_dropped_total",
    "Spans that were lost: too many waited (queue_full), or the receiver did not take them "
    "(not_taken).",
    ["reason"],
    registry=SHARED,
)

# --- the server and the log reader ---

_METHOD = ("grpc_type", "grpc_service", "grpc_method")
RPC_STARTED = Counter("grpc_server_started_total", "Calls that arrived.", _METHOD, registry=SERVER)
RPC_HANDLED = Counter(
    "grpc_server_handled_total",
    "Calls that ended, by gRPC code.",
    (*_METHOD, "grpc_code"),
    registry=SERVER,
)
RPC_SECONDS = Histogram(
    "grpc_server_handling_seconds",
    "Time from a call's arrival to its end, authentication included.",
    _METHOD,
    buckets=_CALLS,
    registry=SERVER,
)
CALLS_OPEN = Gauge(
    "krkn_calls_open",
    "Calls that hold a place of a pool now.",
    ["pool"],
    registry=SERVER,
)
CALLS_REFUSED = Counter(
    "krkn_calls_refused_total",
    "Calls that were refused because their pool, or their caller's half of it, was full.",
    ["pool"],
    registry=SERVER,
)
REVIEW_SECONDS = Histogram(
    "krkn_review_seconds",
    "Time of a TokenReview or SubjectAccessReview, with its wait for a turn.",
    ["kind"],
    buckets=_WRITES,
    registry=SERVER,
)
REVIEW_CACHE = Counter(
    "krkn_review_cache_total",
    "Questions about a token or a permission; a `hit` was answered without a new review.",
    ["kind", "result"],
    registry=SERVER,
)

# --- the controller ---

QUEUE_DEPTH = Gauge(
    "workqueue_depth", "Keys that wait for a worker.", ["name"], registry=CONTROLLER
)
QUEUE_ADDS = Counter(
    "workqueue_adds_total", "Keys that were queued.", ["name"], registry=CONTROLLER
)
QUEUE_RETRIES = Counter(
    "workqueue_retries_total",
    "Keys that are reconciled again because the last time failed.",
    ["name"],
    registry=CONTROLLER,
)
QUEUE_WAIT_SECONDS = Histogram(
    "workqueue_queue_duration_seconds",
    "Time that a key waits for a worker.",
    ["name"],
    buckets=_WORK,
    registry=CONTROLLER,
)
QUEUE_WORK_SECONDS = Histogram(
    "workqueue_work_duration_seconds",
    "Time that a worker spends on a key.",
    ["name"],
    buckets=_WORK,
    registry=CONTROLLER,
)
QUEUE_UNFINISHED = Gauge(
    "workqueue_unfinished_work_seconds",
    "Time that all keys which are being reconciled have taken so far, together.",
    ["name"],
    registry=CONTROLLER,
)
QUEUE_LONGEST = Gauge(
    "workqueue_longest_running_processor_seconds",
    "Time that the longest reconcile of those under way has taken so far.",
    ["name"],
    registry=CONTROLLER,
)
RECONCILES = Counter(
    "controller_runtime_reconcile_total",
    "Reconciles by result: success, requeue_after (a success that comes again after a time), "
    "requeue (an object was not as it was seen), error.",
    ["controller", "result"],
    registry=CONTROLLER,
)
RECONCILE_SECONDS = Histogram(
    "controller_runtime_reconcile_time_seconds",
    "Time of a reconcile.",
    ["controller"],
    buckets=_WORK,
    registry=CONTROLLER,
)
WORKERS_ACTIVE = Gauge(
    "controller_runtime_active_workers",
    "Workers that reconcile a key now.",
    ["controller"],
    registry=CONTROLLER,
)
WORKERS = Gauge(
    "controller_runtime_max_concurrent_reconciles",
    "Workers of a controller; 0 in a process that does not lead.",
    ["controller"],
    registry=CONTROLLER,
)
IS_LEADER = Gauge(
    "leader_election_master_status",
    "1 in the process that holds the Lease, 0 in all others.",
    ["name"],
    registry=CONTROLLER,
)
LEADER_TRANSITIONS = Counter(
    "krkn_leader_transitions_total",
    "Times that this process became the leader.",
    registry=CONTROLLER,
)
JOBS = Gauge(
    "krkn_jobs",
    "Jobs by phase, in the cache of this process: leader and standby both have them.",
    ["phase"],
    registry=CONTROLLER,
)
JOBS_PENDING = Gauge(
    "krkn_jobs_pending",
    "Jobs that have not started, by what they wait for, in the cache of this process; an empty "
    "reason: nothing is in their way.",
    ["reason"],
    registry=CONTROLLER,
)
JOBS_OVERDUE = Gauge(
    "krkn_jobs_overdue",
    "Running jobs that should have ended: their timeout, or the request to stop them, is longer "
    "ago than their grace period. Counted at each sweep; 0 in a process that does not lead.",
    registry=CONTROLLER,
)
JOBS_FINISHED = Counter(
    "krkn_jobs_finished_total",
    "Jobs that ended, by final phase and reason.",
    ["phase", "reason"],
    registry=CONTROLLER,
)
JOB_START_DELAY = Histogram(
    "krkn_job_start_delay_seconds",
    "Time from a job's turn, which is its creation unless it has waited for a turn, to its "
    "scenario's start.",
    buckets=_STARTS,
    registry=CONTROLLER,
)
JOB_DURATION = Histogram(
    "krkn_job_duration_seconds",
    "Time from a scenario's start to its job's end.",
    ["phase"],
    buckets=_DURATIONS,
    registry=CONTROLLER,
)
JOB_CONFLICTS = Counter(
    "krkn_job_conflicts_total",
    "Writes for a job that were not made because an object had changed.",
    registry=CONTROLLER,
)
JOBS_AT_RISK = Counter(
    "krkn_jobs_at_risk_total",
    "Jobs that ended with NodeLost, AlreadyRan or GateRemoved: their scenario may still run, or "
    "someone else tried to start it.",
    ["reason"],
    registry=CONTROLLER,
)
KEPT_LOG_BYTES = Gauge(
    "krkn_kept_log_bytes",
    "All kept logs together as they are stored, in the cache of this process.",
    registry=CONTROLLER,
)
KEPT_LOGS_EVICTED = Counter(
    "krkn_kept_logs_evicted_total",
    "Kept logs that were deleted because all together took more than they may.",
    registry=CONTROLLER,
)
ORDERS = Gauge(
    "krkn_orders",
    "Halts and blackouts that there are, by kind; a blackout may be out of its hours.",
    ["kind"],
    registry=CONTROLLER,
)
TARGETS = Gauge(
    "krkn_targets",
    "Targets by readiness and its reason, in the cache of this process.",
    ["ready", "reason"],
    registry=CONTROLLER,
)
PROBE_SECONDS = Histogram(
    "krkn_target_probe_seconds",
    "Time of a probe of a target cluster, by result.",
    ["result"],
    buckets=_PROBES,
    registry=CONTROLLER,
)
PROBE_OLDEST = Gauge(
    "krkn_target_probe_oldest_seconds",
    "Time since the check of the target that has waited longest for the next one; 0 in a process "
    "that does not lead.",
    registry=CONTROLLER,
)
SWEPT = Counter(
    "krkn_sweep_removed_total",
    "Leftovers that a sweep removed.",
    ["kind"],
    registry=CONTROLLER,
)
EVENTS_DROPPED = Counter(
    "krkn_events_dropped_total",
    "Kubernetes Events that were not written: too many waited, or the API server refused them.",
    registry=CONTROLLER,
)
HEARTBEAT = Gauge(
    "krkn_provider_heartbeat_timestamp_seconds",
    "When this process last renewed the provider's heartbeat, as a Unix time; 0: never.",
    registry=CONTROLLER,
)
