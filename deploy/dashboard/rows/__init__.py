"""The rows of the dashboard, in their order, and what is on none of them.

A sum over processes counts what each of them counts for itself: calls, requests, ends of jobs.
What each of them sees of the same cluster (`krkn_jobs`, `krkn_targets`, `krkn_cache_objects`) is
the `max` over the processes of an installation, so that it does not count twice.
"""

from collections.abc import Mapping, Sequence

from deploy.dashboard.model import Row
from deploy.dashboard.rows import api_server, calls, controller, edge, jobs, overview, processes
from deploy.dashboard.rows import targets as of_targets

ROWS: Sequence[Row] = (
    overview.ROW,
    calls.ROW,
    jobs.ROW,
    jobs.RUNS,
    of_targets.ROW,
    controller.ROW,
    controller.LEADER,
    api_server.ROW,
    edge.ROW,
    processes.ROW,
)

NOT_SHOWN: Mapping[str, str] = {
    "process_virtual_memory_bytes": "says nothing about the memory that a process uses",
}
"""Metrics that are on no panel, each with the reason."""
