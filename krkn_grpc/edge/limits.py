"""The size limits of a request, and of Envoy's tables. The server's own must not be lower."""

MAX_BODY_BYTES = 2 * 1024 * 1024
"""Of a REST body. gRPC messages have the server's own limit."""

FOREIGN_BODIES = {"AlertService.ReceiveAlerts": 1024 * 1024}
"""The calls whose bodies other programs define, each with the most bytes of such a body.

Fields that the protos do not have are passed over there.
"""

MAX_OPEN_BYTES = 4 * 1024
"""Of a gRPC request to a method that needs no token."""

MAX_HEADER_KIB = 16
"""Of all headers and the path.

The server needs twice that as `grpc.max_metadata_size`: gRPC refuses 8 KiB by default, counts 32
bytes more for each header, and Envoy adds headers of its own.
"""

MAX_HEADERS = 100
"""Their number, with those that Envoy adds."""

KNOWN_TOKENS = 4096
"""Tokens that a worker of Envoy remembers, each by a hash, with their callers."""

KNOWN_TOKENS_OF_ONE = 64
"""Of these, of one caller."""

KNOWN_SECONDS = 60
"""How long, after the server accepted it the last time."""

MAX_KNOWN_TOKEN_BYTES = 4 * 1024
"""A longer one is not remembered: hashing it would take too long."""

BUFFER_BYTES = 256 * 1024
"""That Envoy reads ahead of one connection of a caller."""

PAGE_SECONDS = 10
"""The period in which the page and the documents given out count against their limits."""
