"""KrknChaosJobLog: the end of the log of a job's scenario, kept when its pod is gone."""

import msgspec

from krkn_grpc.resources import well_known
from krkn_grpc.resources.chaos_job import ChaosJob
from krkn_grpc.resources.meta import API_VERSION, Kind, ObjectMeta, Resource, Struct

MOST_TEXT_BYTES = 4 * 1024 * 1024
"""Of the text of a kept log; one that is longer was not written by the controller."""

_KIND = Kind(API_VERSION, "KrknChaosJobLog", "krknchaosjoblogs")
# What an object takes besides its content, as the API server stores it.
_OBJECT_BYTES = 1_024
# Of an object that does not say how large it is: the most that one can be.
_UNKNOWN_BYTES = 1_048_576


class KeptLogSpec(Struct, frozen=True, kw_only=True):
    """A log of the pod `pod_uid`, which ran the job `job_uid`.

    `content` is base64 of gzip. Its lines start with the node's times (RFC 3339). `size` is the
    length of the text in bytes; `truncated` says that the log was longer.
    """

    job_uid: str = msgspec.field(name="jobUID")
    pod_uid: str = msgspec.field(name="podUID")
    content: str
    size: int
    truncated: bool


class KeptLog(Resource, frozen=True, kw_only=True):
    """The kept log of a job; it has the job's name."""

    KIND = _KIND

    spec: KeptLogSpec

    def __repr__(self) -> str:
        """Name the log without its content, so that no log line can carry it."""
        return f"KeptLog({self.metadata.namespace}/{self.metadata.name})"


class KeptLogHead(Resource, frozen=True, kw_only=True):
    """A kept log without its content: all that a cache has of it."""

    KIND = _KIND

    @property
    def stored_bytes(self) -> int:
        """How much it counts towards the most that all kept logs may take."""
        told = self.metadata.annotations.get(well_known.STORED_BYTES, "")
        return int(told) if told.isdecimal() and len(told) < 16 else _UNKNOWN_BYTES


def stored_bytes(content: str) -> int:
    """Return the bytes that a log with this content takes where the API server stores it."""
    return len(content) + _OBJECT_BYTES


def is_of(metadata: ObjectMeta, job: ChaosJob) -> bool:
    """Whether a kept log was written for exactly this job."""
    return metadata.name == job.metadata.name and metadata.is_owned_by(job.metadata.uid)
