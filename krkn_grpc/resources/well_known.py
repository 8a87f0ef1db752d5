"""Labels, annotations and gates, and the conversion of free text to a label value."""

import itertools
import re
from typing import TypeVar

import msgspec

from krkn_grpc.resources.meta import GROUP, Resource

R = TypeVar("R", bound=Resource)

APP = "app"
APP_SCENARIO = "krkn-scenario"
SCENARIO_ACCOUNT = "krkn-scenario"
JOB_ID = "krkn-job-id"
RUN_ID = "krkn-run-id"
SCENARIO_NAME = "krkn-scenario-name"
TARGET_UUID = "krkn-target-uuid"
RESERVED = frozenset({JOB_ID, RUN_ID, SCENARIO_NAME, TARGET_UUID})

# On a target: when a caller asked for a check of its cluster, RFC 3339.
CHECK_REQUESTED = f"{GROUP}/check-requested"

START_GATE = f"{GROUP}/start"

TRACE = f"{GROUP}/trace"
# On a job: its call's place in a W3C trace. On a pod: what its variable TRACEPARENT says.
TRACEPARENT = f"{GROUP}/traceparent"
# On a scenario pod: the uid of its job, also when its owner reference was removed.
JOB_UID = f"{GROUP}/job-uid"
IGNORED_OPTIONS = f"{GROUP}/ignored-options"
REGISTERED_BY_SERVER = f"{GROUP}/registered-by-server"
# On a target: the call that registered it, so that a retry of the call recognises its target.
CALL = f"{GROUP}/call"
INACTIVE_BY = f"{GROUP}/inactive-by"

# On a kept log: its size, for those who only see its metadata.
STORED_BYTES = f"{GROUP}/stored-bytes"

# Labels that all providers of this group use: on a request its own id, on its Secret the request's.
REQUEST_UUID = f"{GROUP}/uuid"
TARGET_REQUEST = f"{GROUP}/target-request"
# On a request: its caller, for the limit of requests for each caller.
REQUESTED_BY = f"{GROUP}/requested-by"
# On a target: the provider that it was adopted from; a provider's name may be cut in the label.
TARGET_PROVIDER = f"{GROUP}/provider"
# On an adopted target: from which request its credential is. On its Secret: the same, of its data.
ADOPTION = f"{GROUP}/adoption"

# The labels and annotations that a cache keeps of an object that others have changed.
MOST_KEPT = 128
_LONGEST_ANNOTATION = 4 * 1024
_LONGEST_ANNOTATIONS = 8 * 1024
_OURS = frozenset(
    {
        *(TRACE, TRACEPARENT, JOB_UID, CALL, IGNORED_OPTIONS, REGISTERED_BY_SERVER),
        *(INACTIVE_BY, REQUESTED_BY, ADOPTION, CHECK_REQUESTED, STORED_BYTES),
    }
)

_NOT_ALLOWED = re.compile(r"[^A-Za-z0-9._-]+")
_LONGEST_VALUE = 63


def is_reserved(key: str) -> bool:
    """Whether a label's key is this service's own: callers neither set nor see it."""
    return key in RESERVED or key.rpartition("/")[0] == GROUP


def as_label_value(text: str) -> str:
    """Return `text` cut and cleaned to what a label value allows; may be empty."""
    return _NOT_ALLOWED.sub("-", text)[:_LONGEST_VALUE].strip("-._")


def bounded(item: R) -> R:
    """Return the object as a cache keeps it.

    Others may add tens of thousands of labels, and 256 KiB of annotations. Of more than `MOST_KEPT`
    labels this project's and then the first are kept, of more than 8 KiB of annotations only this
    project's.
    """
    metadata = item.metadata
    given, noted = metadata.labels, metadata.annotations
    if len(given) > MOST_KEPT:
        ours = [key for key in (APP, TARGET_PROVIDER, *RESERVED) if key in given]
        kept = itertools.islice(dict.fromkeys([*ours, *given]), MOST_KEPT)
        metadata = msgspec.structs.replace(metadata, labels={key: given[key] for key in kept})
    if noted and sum(map(len, noted)) + sum(map(len, noted.values())) > _LONGEST_ANNOTATIONS:
        kept_notes = {
            key: noted[key]
            for key in _OURS
            if key in noted and len(noted[key]) <= _LONGEST_ANNOTATION
        }
        metadata = msgspec.structs.replace(metadata, annotations=kept_notes)
    return item if metadata is item.metadata else msgspec.structs.replace(item, metadata=metadata)
