"""Labels, annotations, finalizers and gates, and how a free text becomes a label value."""

import re

from krkn_grpc.resources.meta import GROUP

APP = "app"
APP_SCENARIO = "krkn-scenario"
JOB_ID = "krkn-job-id"
SCENARIO_NAME = "krkn-scenario-name"
TARGET_UUID = "krkn-target-uuid"
RESERVED = frozenset({JOB_ID, SCENARIO_NAME, TARGET_UUID})

FINALIZER = f"{GROUP}/outcome"
START_GATE = f"{GROUP}/start"

TRACE = f"{GROUP}/trace"
# The revision that the server had seen before it first tried to create the job.
ASKED_AT = f"{GROUP}/asked-at"
IGNORED_OPTIONS = f"{GROUP}/ignored-options"
REGISTERED_BY_SERVER = f"{GROUP}/registered-by-server"
FINGERPRINT = f"{GROUP}/fingerprint"
# On a job whose creation may be repeated: it may not go before its record says that it existed.
REQUEST_FINALIZER = f"{GROUP}/request"
INACTIVE_BY = f"{GROUP}/inactive-by"

_NOT_ALLOWED = re.compile(r"[^A-Za-z0-9._-]+")
_LONGEST_VALUE = 63


def gone(job_id: str) -> str:
    """Return the annotation by which a request's record says that this job was deleted."""
    return f"{GROUP}/gone-{job_id}"


def as_label_value(text: str) -> str:
    """Return `text` cut and cleaned to what a label value allows; may be empty."""
    return _NOT_ALLOWED.sub("-", text)[:_LONGEST_VALUE].strip("-._")
