"""Envoy's replies when it refuses a request by itself, in the form of every other error.

Envoy's default texts are not passed on: they name addresses and may quote a body.
request_filter.lua has its own texts.
"""

import json
from dataclasses import dataclass

from krkn_grpc.edge.limits import MAX_BODY_BYTES, MAX_HEADER_KIB


@dataclass(frozen=True)
class Refusal:
    """One reason, matched by Envoy's details or response flags if it has any, else by status."""

    status: int
    code: int
    """The gRPC number in the JSON of a REST reply; a gRPC caller's comes from the status."""

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
        body = {"code": self.code, "message": self.message, "details": []}
        return json.dumps(body, separators=(",", ":"))


NOTHING_DONE = "nothing was done. Try again in a second."
PERHAPS_DONE = "what was asked may have been done."

# The connection broke after the request was sent, or may have been.
_LOST = ("UC", "UR", "LR", "UPE")

# The first match is used.
REFUSALS = (
    Refusal(429, 8, "Too many calls at once. Try again in a second.", retry_after=1),
    Refusal(
        503,
        14,
        f"The service has too many calls in hand; {NOTHING_DONE}",
        ("UO", "OM"),
        retry_after=1,
    ),
    Refusal(
        503,
        14,
        f"The service has more in hand than it can hold; {NOTHING_DONE}",
        details="overload",
        retry_after=1,
    ),
    Refusal(
        503, 14, f"The service cannot be reached now; {NOTHING_DONE}", ("UF", "UH"), retry_after=1
    ),
    # A write may have been carried out by then. No proxy or client retries after this answer.
    Refusal(
        503,
        2,
        f"The connection to the service was lost; {PERHAPS_DONE}",
        _LOST,
        sent_as=500,
        is_of_write=True,
    ),
    Refusal(
        503,
        14,
        "The connection to the service was lost. Try again in a second.",
        _LOST,
        sent_as=503,
        retry_after=1,
    ),
    Refusal(504, 4, f"The service did not answer in time; {PERHAPS_DONE}"),
    Refusal(408, 4, "The request did not come as a whole in time."),
    Refusal(400, 3, "The request is not valid HTTP, or not what the call takes."),
    Refusal(401, 16, "The request has no valid credentials."),
    Refusal(403, 7, "The request is not allowed."),
    Refusal(404, 5, "There is nothing at this path."),
    Refusal(413, 3, f"The request body is larger than {MAX_BODY_BYTES} bytes."),
    Refusal(426, 3, "HTTP/1.1 or HTTP/2 is needed."),
    Refusal(431, 3, f"The headers of the request are larger than {MAX_HEADER_KIB} KiB."),
    Refusal(502, 13, "The answer of the service cannot be passed on.", sent_as=500),
    Refusal(503, 14, "The service cannot do this now."),
    Refusal(500, 13, "The service failed; its log says more."),
)
