"""Kubeconfigs as data: read strictly, built from credentials, written canonically.

This package defines the content and the text form of a kubeconfig. It does not contact a cluster,
or decide which addresses are allowed (`krkn_grpc.resources.addresses`). It never opens a file or a
socket and never runs a command, regardless of the text.
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
from krkn_grpc.resources.violation import Violation

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
