"""What is said when a server does not answer, or refuses a caller."""

import pytest

from krkn_grpc.cli import failures

SERVER = "host.example:8080"


@pytest.mark.parametrize(
    ("of_grpc", "said"),
    [
        (
            "failed to connect to all addresses; last error: UNKNOWN: ipv4:127.0.0.1:1: "
            "Failed to connect to remote host: Connection refused",
            "host.example:8080 does not answer: Connection refused",
        ),
        (
            "connections to all backends failing; last error: UNKNOWN: ipv4:127.0.0.1:1: "
            "Failed to connect to remote host: Connection refused",
            "host.example:8080 does not answer: Connection refused",
        ),
        (
            "UNKNOWN: ipv4:127.0.0.1:18880: Tls handshake failed (TSI_PROTOCOL_FAILURE): "
            "SSL_ERROR_SSL: error:100000f7:SSL routines:OPENSSL_internal:WRONG_VERSION_NUMBER: "
            "Invalid certificate verification context: OK",
            "host.example:8080 speaks no TLS: use http://host.example:8080 or --no-tls",
        ),
        (
            "errors resolving host.example:443: [field:hostname lookup error:address lookup "
            "failed for host.example:443: Domain name not found]",
            "there is no host host.example",
        ),
        (
            "errors resolving a..b:443: [field:hostname lookup error:address lookup failed for "
            "a..b:443: Misformatted domain name]",
            "host.example:8080 does not answer: Misformatted domain name",
        ),
        (
            "UNAVAILABLE: ipv4:127.0.0.1:18899: Failed parsing HTTP/2 (Expected SETTINGS frame as "
            "the first frame, got frame type 79)",
            "host.example:8080 is not krkn-grpc, or needs TLS: it answers HTTP/1 only",
        ),
    ],
)
def test_why_there_is_no_answer(of_grpc: str, said: str) -> None:
    assert failures.unanswered(SERVER, of_grpc) == said
