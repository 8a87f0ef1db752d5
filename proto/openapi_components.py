"""The parts of the OpenAPI document that no proto has: headers, parameters, the introduction."""

ABOUT = """\
Runs krkn chaos scenarios on many Kubernetes clusters with one call. The same calls by gRPC are the
services of the package krkn.v1.

Callers are known by a Kubernetes token (`Authorization: Bearer`), unless the service runs on one's
own machine without authentication.

In a body `null` is the same as leaving a field out, and a field that is not known is refused. Each
reply has an `x-request-id`, which the logs have too. What cannot be read as one of these calls is
refused in the form of all errors, with 404, 405, 408 or 426.
"""
TOKEN = "A Kubernetes token for the audience of the service, by default `krkn-grpc`."
HEADERS = {
    "Revision": {
        "description": "What a write reached. A read that sends it back sees that write.",
        "schema": {"type": "string"},
    },
    "Repeated": {
        "description": "`true` when the same call came before, and this tells what it has done.",
        "schema": {"type": "string", "enum": ["true"]},
    },
    "Log": {
        "description": "That it is the kept log of a pod that is gone, whole or only its end.",
        "schema": {"type": "string", "enum": ["kept", "kept, truncated"]},
    },
    "RetryAfter": {
        "description": "Seconds; only where asking again is safe.",
        "schema": {"type": "integer", "minimum": 0},
    },
    "WWWAuthenticate": {
        "description": "That a bearer token is asked for; with `error` where one was not accepted.",
        "required": True,
        "schema": {"type": "string", "pattern": "^Bearer "},
    },
}
HEADERS_OF_ERRORS = {"401": "WWW-Authenticate", "429": "Retry-After", "503": "Retry-After"}
PARAMETERS = {
    "Revision": {
        "name": "krkn-revision",
        "in": "header",
        "description": "Of a write that this read must see; it waits up to 2 seconds for it.",
        "schema": {"type": "string"},
    }
}
