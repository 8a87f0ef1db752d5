"""What one connection, and all together, may ask of the server; beyond it calls are refused.

Envoy has limits of its own before these; whoever calls the server directly meets only these.
"""

LARGEST_MESSAGE = 4 * 1024 * 1024
# Calls and streams at the same time. Envoy lets through fewer.
MOST_CALLS = 10_000
# Of one HTTP/2 connection; Envoy opens another when it needs more.
_MOST_STREAMS = 1_000
# Envoy's largest headers (16 KiB), as gRPC counts them, with what Envoy adds.
LARGEST_METADATA = 32 * 1024


def options(
    *,
    keepalive_seconds: float = 60.0,
    keepalive_timeout_seconds: float = 20.0,
    handshake_seconds: float = 10.0,
) -> list[tuple[str, int]]:
    """Return the gRPC server's options.

    A peer that answers no ping is cut off after both times together, and so is what it had open;
    one that connects and says nothing that makes sense, after `handshake_seconds`.
    """
    return [
        ("grpc.so_reuseport", 0),
        ("grpc.max_receive_message_length", LARGEST_MESSAGE),
        ("grpc.max_concurrent_streams", _MOST_STREAMS),
        # Calls that wait to be begun. Of more, gRPC cancels some by chance, whoever is calling.
        ("grpc.server.max_pending_requests", MOST_CALLS),
        ("grpc.server.max_pending_requests_hard_limit", MOST_CALLS),
        # Equal, or what lies between them would be refused by chance.
        ("grpc.max_metadata_size", LARGEST_METADATA),
        ("grpc.absolute_max_metadata_size", LARGEST_METADATA),
        ("grpc.keepalive_time_ms", round(keepalive_seconds * 1000)),
        ("grpc.keepalive_timeout_ms", round(keepalive_timeout_seconds * 1000)),
        # The same again: whichever is longer counts, and this one is a minute by default.
        ("grpc.http2.ping_timeout_ms", round(keepalive_timeout_seconds * 1000)),
        ("grpc.keepalive_permit_without_calls", 1),
        # Clients may ping as often, whether they have calls or not.
        ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
        ("grpc.server_handshake_timeout_ms", round(handshake_seconds * 1000)),
        ("grpc.max_connection_idle_ms", 15 * 60 * 1000),
    ]
