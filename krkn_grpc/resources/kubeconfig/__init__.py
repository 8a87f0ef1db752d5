"""Kubeconfigs as data: read strictly, built from credentials, written canonically.

In here: what a kubeconfig may hold and how it is spelled. Not in here: contacting a cluster, or
which addresses are allowed (`krkn_grpc.resources.addresses`). Nothing in here opens a file or a
socket or runs anything, whatever the text says.
"""

from krkn_grpc.resources.kubeconfig.build import decode_submitted, from_credentials, from_token
from krkn_grpc.resources.kubeconfig.model import (
    MAX_BYTES,
    ClientCertificate,
    Credentials,
    Kubeconfig,
    KubeconfigError,
    KubeconfigRules,
    Password,
    Token,
    Violation,
)
from krkn_grpc.resources.kubeconfig.reader import read
from krkn_grpc.resources.kubeconfig.render import (
    SECRET_KEY,
    can_be_read,
    from_secret_data,
    render,
    to_secret_data,
    unwrap,
)
from krkn_grpc.resources.kubeconfig.urls import Endpoint, endpoint, normalise_url

__all__ = [
    "MAX_BYTES",
    "SECRET_KEY",
    "ClientCertificate",
    "Credentials",
    "Endpoint",
    "Kubeconfig",
    "KubeconfigError",
    "KubeconfigRules",
    "Password",
    "Token",
    "Violation",
    "can_be_read",
    "decode_submitted",
    "endpoint",
    "from_credentials",
    "from_secret_data",
    "from_token",
    "normalise_url",
    "read",
    "render",
    "to_secret_data",
    "unwrap",
]
