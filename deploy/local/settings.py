"""What `make run` can be told by the environment."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from deploy.local.errors import StartError

DNS_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")


@dataclass(frozen=True)
class Settings:
    """Each one has a default, so nothing has to be set."""

    rest_port: int = 8080
    grpc_port: int = 50051
    namespace: str = "krkn-operator-system"
    auth: str = "none"
    kubeconfig: Path | None = None
    """A cluster to use instead of a local control plane."""

    @classmethod
    def read(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """Read KRKN_REST_PORT, KRKN_GRPC_PORT, KRKN_NAMESPACE, KRKN_AUTH and KRKN_KUBECONFIG."""
        auth = environment.get("KRKN_AUTH") or cls.auth
        if auth not in ("none", "kubernetes"):
            raise StartError(f"KRKN_AUTH is none or kubernetes, not {auth!r}")
        namespace = environment.get("KRKN_NAMESPACE") or cls.namespace
        if not DNS_LABEL.fullmatch(namespace):
            raise StartError(f"KRKN_NAMESPACE={namespace!r} is no name of a namespace")
        path = environment.get("KRKN_KUBECONFIG")
        if path and not Path(path).is_file():
            raise StartError(f"KRKN_KUBECONFIG={path} is no file")
        rest_port = _port(environment, "KRKN_REST_PORT", cls.rest_port)
        grpc_port = _port(environment, "KRKN_GRPC_PORT", cls.grpc_port)
        if rest_port == grpc_port:
            raise StartError(f"KRKN_REST_PORT and KRKN_GRPC_PORT are both {rest_port}")
        kubeconfig = Path(path).absolute() if path else None
        return cls(rest_port, grpc_port, namespace, auth, kubeconfig)


def _port(environment: Mapping[str, str], name: str, default: int) -> int:
    text = environment.get(name) or str(default)
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise StartError(f"{name}={text} is not a port (1 to 65535)")
    return int(text)
