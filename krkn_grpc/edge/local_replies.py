"""Envoy's replies when it refuses a call by itself, in the form of every other error.

Envoy's default texts are not passed on: they name addresses and may quote a body.
request_filter.lua has its own texts.
"""

import base64
import json
from dataclasses import dataclass

from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status

from krkn_grpc.edge.limits import MAX_BODY_BYTES, MAX_HEADER_KIB, MAX_HEADERS


@dataclass(frozen=True)
class Refusal:
    """One reason, matched by Envoy's details or response flags if it has any, else by status."""

    status: int
    code: int
    """The gRPC code."""

    reason: str
    """For programs, in the ErrorInfo."""

    message: str
    flags: tuple[str, ...] = ()
    details: str = ""
    sent_as: int | None = None
    """The HTTP status to send in the place of `status`."""

    retry_after: int | None = None
    """Seconds; only where a retry is safe and may help."""

    is_of_write: bool = False
    """Whether it applies only to calls that change something."""

    @property
    def body(self) -> str:
        """The body of a REST reply."""
        details: list[dict[str, object]] = [
            {
                "@type": f"{_TYPES}.ErrorInfo",
                "reason": self.reason,
                "domain": DOMAIN,
                "metadata": {},
            }
        ]
        if self.retry_after is not None:
            delay = f"{self.retry_after}s"
            details.append({"@type": f"{_TYPES}.RetryInfo", "retryDelay": delay})
        body = {"code": self.code, "message": self.message, "details": details}
        return json.dumps(body, separators=(",", ":"))

    @property
    def details_bin(self) -> str:
        """The header grpc-status-details-bin of a gRPC reply."""
        status = Status(code=self.code, message=self.message)
        status.details.add().Pack(ErrorInfo(reason=self.reason, domain=DOMAIN))
        if self.retry_after is not None:
            delay = Duration(seconds=self.retry_after)
            status.details.add().Pack(RetryInfo(retry_delay=delay))
        # gRPC writes base64 without its padding.
        return base64.b64encode(status.SerializeToString()).decode().rstrip("=")


DOMAIN = "krkn.krkn-chaos.dev"
_TYPES = "type.googleapis.com/google.rpc"
HEADERS_TOO_LARGE = (
    f"the headers of the request are larger than {MAX_HEADER_KIB} KiB, or more than {MAX_HEADERS}"
)
_NOTHING_DONE = "nothing was done; try again in a second"
_PERHAPS_DONE = "what was asked may have been done"

# The connection broke after the request was sent, or may have been.
_LOST = ("UC", "UR", "LR", "UPE")

# The first match is used.
REFUSALS = (
    Refusal(
        429, 8, "TOO_MANY_CALLS", "too many calls at once; try again in a second", retry_after=1
    ),
    Refusal(
        503,
        14,
        "OVERLOADED",
        f"the service has too many calls in hand; {_NOTHING_DONE}",
        ("UO", "OM"),
        retry_after=1,
    ),
    Refusal(
        503,
        14,
        "OVERLOADED",
        f"the service has more in hand than it can hold; {_NOTHING_DONE}",
        details="overload",
        retry_after=1,
    ),
    Refusal(
        503,
        14,
        "SERVICE_UNREACHABLE",
        f"the service cannot be reached now; {_NOTHING_DONE}",
        ("UF", "UH"),
        retry_after=1,
    ),
    # A write may have been carried out by then. No proxy or client retries after this answer.
    Refusal(
        503,
        2,
        "OUTCOME_UNKNOWN",
        f"the connection to the service was lost; {_PERHAPS_DONE}",
        _LOST,
        sent_as=500,
        is_of_write=True,
    ),
    Refusal(
        503,
        14,
        "CONNECTION_LOST",
        "the connection to the service was lost; try again in a second",
        _LOST,
        sent_as=503,
        retry_after=1,
    ),
    Refusal(504, 4, "SERVICE_TOO_SLOW", f"the service did not answer in time; {_PERHAPS_DONE}"),
    Refusal(408, 4, "REQUEST_TOO_SLOW", "the request did not come as a whole in time"),
    Refusal(400, 3, "INVALID_REQUEST", "the request is not valid HTTP, or not what the call takes"),
    Refusal(401, 16, "UNAUTHENTICATED", "the request has no valid credentials"),
    Refusal(403, 7, "PERMISSION_DENIED", "the request is not allowed"),
    Refusal(404, 5, "NO_SUCH_PATH", "there is nothing at this path"),
    Refusal(413, 3, "REQUEST_TOO_LARGE", f"request body: is larger than {MAX_BODY_BYTES} bytes"),
    Refusal(426, 3, "OLD_HTTP", "HTTP/1.1 or HTTP/2 is needed"),
    Refusal(
        431,
        3,
        "HEADERS_TOO_LARGE",
        HEADERS_TOO_LARGE,
    ),
    Refusal(502, 13, "INTERNAL", "the answer of the service cannot be passed on", sent_as=500),
    Refusal(503, 14, "SERVICE_UNAVAILABLE", "the service cannot do this now"),
    Refusal(500, 13, "INTERNAL", "the service failed; its log says more"),
)

OTHER = Refusal(500, 2, "UNKNOWN", "the request failed")
"""What is sent where none of them matches, with Envoy's own status."""
