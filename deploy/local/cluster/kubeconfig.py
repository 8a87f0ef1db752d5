"""Kubeconfig files: one cluster, one user, one context."""

import base64
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

import yaml

NAME = "krkn-grpc-local"


def text(*, url: str, ca_pem: str, user: Mapping[str, object], namespace: str = "default") -> str:
    """Render a kubeconfig for the API server at `url`; `user` is its user entry, unchanged.

    Without a CA the reader uses its machine's trusted CAs.
    """
    cluster = {"server": url}
    if ca_pem:
        cluster["certificate-authority-data"] = base64.b64encode(ca_pem.encode()).decode()
    context = {"cluster": NAME, "user": NAME, "namespace": namespace}
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": NAME, "cluster": cluster}],
        "users": [{"name": NAME, "user": dict(user)}],
        "contexts": [{"name": NAME, "context": context}],
        "current-context": NAME,
    }
    return yaml.safe_dump(content, sort_keys=False)


def certificate_user(certificate: Path, key: Path) -> dict[str, str]:
    """Return the user entry of a client certificate, with the data embedded, not as paths."""
    return {
        "client-certificate-data": base64.b64encode(certificate.read_bytes()).decode(),
        "client-key-data": base64.b64encode(key.read_bytes()).decode(),
    }


def write(
    path: Path, *, url: str, ca_pem: str, user: Mapping[str, object], namespace: str = "default"
) -> Path:
    """Write (or replace atomically) the file, readable only by its owner, and return its path."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(descriptor, "w") as file:  # mkstemp made it with mode 0600
        file.write(text(url=url, ca_pem=ca_pem, user=user, namespace=namespace))
    os.replace(temporary, path)
    return path
