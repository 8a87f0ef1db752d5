"""Limits of one connection and of all connections together; calls beyond them are refused.

Envoy has limits of its own before these; for direct callers of the server only these apply.
"""

# The same as Envoy's limit for a REST body. A valid call has less in total.
LARGEST_MESSAGE = 2 * 1024 * 1024 + 64 * 1024
# Calls and streams at the same time. Envoy lets through fewer.
MOST_CALLS = 10_000
# How long a call without a requestId is remembered: longer than any proxy repeats one.
CALL_SECONDS = 600
# Per HTTP/2 connection; Envoy opens another when it needs more.
_MOST_STREAMS = 1_000
# The bytes of a message that may arrive before the server reads it: enough for nearly all messages,
# and few enough to hold those of thousands of callers during their authorization.
UNASKED = 8 * 1024
# Envoy's largest headers (16 KiB), as gRPC counts them, with what Envoy adds.
LARGEST_METADATA = 32 * 1024


def options(
    *,
    largest: int = LARGEST_MESSAGE,
    keepalive_seconds: float = 60.0,
    keepalive_timeout_seconds: float = 20.0,
    handshake_seconds: float = 10.0,
) -> list[tuple[str, int]]:
    """Return the gRPC server's options.

    A peer that answers no ping is disconnected after both keepalive times together, and its calls
    end; a peer that completes no handshake, after `handshake_seconds`.
    """
    return [
        ("grpc.so_reuseport", 0),
        ("grpc.max_receive_message_length", largest),
        ("grpc.http2.lookahead_bytes", UNASKED),
        # Else gRPC widens the window of a fast sender until whole messages arrive unread.
        ("grpc.http2.bdp_probe", 0),
        ("grpc.max_concurrent_streams", _MOST_STREAMS),
        # gRPC also keeps unparsable headers in a connection's header table, and fails each later
        # call that uses the name. Behind a proxy those are other callers' calls.
        ("grpc.http2.hpack_table_size.decoder", 0),
        # Calls that wait to start. Beyond this, gRPC cancels random calls of any caller.
        ("grpc.server.max_pending_requests", MOST_CALLS),
        ("grpc.server.max_pending_requests_hard_limit", MOST_CALLS),
        # Equal: gRPC refuses sizes between the two at random.
        ("grpc.max_metadata_size", LARGEST_METADATA),
        ("grpc.absolute_max_metadata_size", LARGEST_METADATA),
        ("grpc.keepalive_time_ms", round(keepalive_seconds * 1000)),
        ("grpc.keepalive_timeout_ms", round(keepalive_timeout_seconds * 1000)),
        # The same value: the longer of the two applies, and this one is a minute by default.
        ("grpc.http2.ping_timeout_ms", round(keepalive_timeout_seconds * 1000)),
        ("grpc.keepalive_permit_without_calls", 1),
        # The shortest interval of client pings, with or without calls.
        ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
        ("grpc.server_handshake_timeout_ms", round(handshake_seconds * 1000)),
        ("grpc.max_connection_idle_ms", 15 * 60 * 1000),
    ]
