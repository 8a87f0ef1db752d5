"""A kubeconfig as a value: one cluster, one user, everything embedded.

Credentials are left out of every `repr`, and no violation repeats what was submitted, so that
neither a log line nor a traceback can carry one.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypeAlias

from krkn_grpc.resources.kubeconfig.urls import Endpoint, endpoint
from krkn_grpc.resources.violation import Violation

MAX_BYTES = 256 * 1024
"""The largest kubeconfig that is read, in bytes of UTF-8."""


@dataclass(frozen=True, slots=True)
class Token:
    """A bearer token."""

    value: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Password:
    """A user name and password, sent as HTTP basic authentication."""

    username: str = field(repr=False)
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """A certificate (with its chain) and its unencrypted private key, both PEM.

    With a bearer token, both are used: Azure writes such kubeconfigs.
    """

    certificate: str = field(repr=False)
    key: str = field(repr=False)
    token: str | None = field(default=None, repr=False)


Credentials: TypeAlias = Token | Password | ClientCertificate


@dataclass(frozen=True, slots=True)
class Kubeconfig:
    """The endpoint and the credentials for one cluster; made by `read`, `from_token` and the like.

    Without `certificate_authority` the cluster's certificate is checked with the system's
    authorities, or with `insecure_skip_tls_verify` not at all.
    """

    server: str
    credentials: Credentials
    certificate_authority: str | None = field(default=None, repr=False)
    insecure_skip_tls_verify: bool = False
    tls_server_name: str | None = None
    proxy_url: str | None = None

    @property
    def endpoint(self) -> Endpoint:
        """The parts of `server`."""
        return endpoint(self.server)


@dataclass(frozen=True, slots=True)
class KubeconfigRules:
    """Options that an installation may allow beyond the default."""

    allow_proxy_url: bool = False


class KubeconfigError(ValueError):
    """A kubeconfig, or the input for one, is refused; `violations` say why."""

    def __init__(self, violations: Iterable[Violation]) -> None:
        self.violations = tuple(violations)
        super().__init__("; ".join(f"{each.field}: {each.description}" for each in self.violations))
