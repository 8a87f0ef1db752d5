"""Counts the requests to the API server, and gives those of a traced call their spans."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from krkn_grpc.kube import errors
from krkn_grpc.kube.paths import resource_of
from krkn_grpc.telemetry import metrics, tracing

# client-go's word for a request without an answer.
_NO_ANSWER = "<error>"

# Methods, resources and codes are few, so nothing is ever dropped from these.
_requests = cache(metrics.REST_REQUESTS.labels)
_seconds = cache(metrics.REST_SECONDS.labels)


class Measured:
    """One request; without an answer its code is None."""

    def __init__(self) -> None:
        """Start without an answer."""
        self.code: int | None = None


@contextmanager
def measured(method: str, path: str) -> Iterator[Measured]:
    """Count one request and its duration; the caller sets the code of the answer when it comes."""
    began, request, resource = time.perf_counter(), Measured(), resource_of(path)
    span = tracing.started_request(f"{method} {resource}") if tracing.is_on() else None
    try:
        yield request
    except errors.OutcomeUnknown:
        # A review writes nothing.
        if method != "GET" and not resource.endswith("reviews"):
            metrics.OUTCOME_UNKNOWN.inc()
        raise
    finally:
        _requests(_told(request.code), method, resource).inc()
        _seconds(method, resource).observe(time.perf_counter() - began)
        if span is not None:
            answer = {} if request.code is None else {"http.response.status_code": request.code}
            span.end(
                {"http.request.method": method, "krkn.resource": resource, **answer},
                has_failed=request.code is None or request.code >= 500,
            )


def opened(path: str, code: int | None) -> None:
    """Count a watch or a log that was opened, or, with None, could not be: it has no duration."""
    _requests(_told(code), "GET", resource_of(path)).inc()


def _told(code: int | None) -> str:
    return _NO_ANSWER if code is None else str(code)
