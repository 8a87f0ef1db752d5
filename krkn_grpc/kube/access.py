"""The URL, TLS context and credentials for our own cluster.

The `kubernetes` package reads the configuration, because it knows all its forms. It may run an
`exec` plugin of the kubeconfig. That is acceptable for our own cluster, whose kubeconfig comes from
the administrator; for this reason no registered target's kubeconfig is ever loaded here.
"""

import asyncio
import math
import ssl
import time
from dataclasses import dataclass
from pathlib import Path

import structlog
from kubernetes.aio.client import Configuration
from kubernetes.aio.config import load_incluster_config, load_kube_config

from krkn_grpc.kube.kubeconfig_fault import unusable
from krkn_grpc.tls import cluster_context
from krkn_grpc.told import told

_RECHECK_SECONDS = 10.0
_BEFORE_THE_END_SECONDS = 60.0
_PLUGIN_SECONDS = 30.0
_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class _Loaded:
    configuration: Configuration
    modified: float
    """When the kubeconfig was written."""
    ends: float
    """When the token expires, in seconds since the epoch; infinity if its plugin names no time."""

    @property
    def token(self) -> str | None:
        token: str | None = self.configuration.api_key.get("BearerToken")
        return token


class ClusterAccess:
    """The API server's URL, a TLS context for it, and a bearer token that stays fresh.

    The token is loaded again when the kubeconfig file has changed, when its plugin says that it is
    about to expire, and, because not all plugins say so, when the API server has refused it.
    """

    def __init__(self, kubeconfig: Path | None, loaded: _Loaded, recheck_seconds: float) -> None:
        """Start with the configuration that `load` has read."""
        self._kubeconfig = kubeconfig
        self._loaded = loaded
        self._recheck_seconds = recheck_seconds
        self._checked = self._tried = time.monotonic()
        self._is_refused = False
        self._renewal: asyncio.Task[None] | None = None

    @classmethod
    async def load(
        cls, kubeconfig: Path | None, *, recheck_seconds: float = _RECHECK_SECONDS
    ) -> "ClusterAccess":
        """Read the kubeconfig at this path, or for None the pod's own account.

        Every `recheck_seconds` the object checks whether there is a newer token. Raises Unusable
        if no connection can be made from what was read.
        """
        try:
            access = cls(kubeconfig, await _load(kubeconfig), recheck_seconds)
            access.tls()
        except Exception as error:  # of any class: the package checks little of what it reads
            raise unusable(kubeconfig, error) from error
        return access

    @property
    def url(self) -> str:
        """The API server's URL without a trailing slash."""
        return str(self._loaded.configuration.host).rstrip("/")

    @property
    def ca_pem(self) -> str:
        """The certificates that the API server's is checked against; empty if none are set."""
        configuration = self._loaded.configuration
        if configuration.ssl_ca_cert:
            return Path(configuration.ssl_ca_cert).read_text()
        return str(configuration.ca_cert_data or "")

    def tls(self) -> ssl.SSLContext | bool:
        """Return the TLS context: the cluster's CA, and our client certificate if we have one."""
        configuration = self._loaded.configuration
        context = cluster_context(
            ca_file=configuration.ssl_ca_cert, ca_pem=configuration.ca_cert_data
        )
        if configuration.cert_file:
            context.load_cert_chain(configuration.cert_file, configuration.key_file)
        if not configuration.verify_ssl:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context

    async def authorization(self) -> str | None:
        """Return the Authorization header; wait for a new token only if this one is not valid."""
        if (self._renewal is None or self._renewal.done()) and self._is_due():
            self._renewal = asyncio.create_task(self._renew())
        if self._renewal is not None and self._is_over():
            # The renewal continues for other callers when this one times out.
            await asyncio.shield(self._renewal)
        return self._loaded.token

    def refused(self, authorization: str | None) -> None:
        """Note that the API server answered 401 to a request with this header."""
        if authorization == self._loaded.token:
            self._is_refused = True

    def _is_over(self) -> bool:
        return self._is_refused or time.time() >= self._loaded.ends

    def _is_due(self) -> bool:
        now = time.monotonic()
        # An expired or refused token is renewed before the next recheck is due; but if the new one
        # is refused too, the plugin does not run more often than that.
        if now - (self._tried if self._is_over() else self._checked) < self._recheck_seconds:
            return False
        self._checked = now
        return (
            self._kubeconfig is None
            or self._is_over()
            or time.time() > self._loaded.ends - _BEFORE_THE_END_SECONDS
            or _modified_at(self._kubeconfig) != self._loaded.modified
        )

    async def _renew(self) -> None:
        self._tried = time.monotonic()
        try:
            async with asyncio.timeout(_PLUGIN_SECONDS):
                loaded = await _load(self._kubeconfig)
        except Exception as error:  # of any class: the present token may still be valid
            _log.warning("credential not renewed", error=told(error))
            return
        if loaded.token is None and self._loaded.token is not None:
            # The `kubernetes` package returns no token when a plugin failed, and logs why.
            _log.warning("credential not renewed", error="no token was given")
            return
        self._loaded, self._is_refused = loaded, False


async def _load(kubeconfig: Path | None) -> _Loaded:
    configuration = Configuration()
    if kubeconfig is None:
        load_incluster_config(client_configuration=configuration, try_refresh_token=False)
        return _Loaded(configuration, modified=0.0, ends=math.inf)
    # Taken before the file is read, so that a write during the read is noticed later.
    modified = _modified_at(kubeconfig)
    loader = await load_kube_config(config_file=str(kubeconfig), client_configuration=configuration)
    # The package sets this attribute only when a plugin gave the token.
    expiry = getattr(loader, "exec_plugin_expiry", None)
    return _Loaded(configuration, modified, math.inf if expiry is None else expiry.timestamp())


def _modified_at(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:  # it is being replaced
        return 0.0
