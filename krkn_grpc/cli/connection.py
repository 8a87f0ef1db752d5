"""What of the client library's addresses and tokens the command's options are made of."""

from krkn_grpc.client.address import (
    Address,
    BadAddress,
    Certificates,
    address,
    default_server,
)
from krkn_grpc.client.tokens import BadToken
from krkn_grpc.client.tokens import from_environment as bearer_token

DEFAULT_SERVER = "127.0.0.1:8080"

__all__ = [
    "DEFAULT_SERVER",
    "Address",
    "BadAddress",
    "BadToken",
    "Certificates",
    "address",
    "bearer_token",
    "default_server",
]
