"""How to reach our own cluster, and as whom.

The configuration is read by the `kubernetes` package, which knows all its forms. It may run an
`exec` plugin of the kubeconfig: that is right for our own cluster's, which the administrator
gave us, and the reason why no registered target's kubeconfig ever comes here.
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
    """The time of day at which the token is over, as far as its plugin says."""

    @property
    def token(self) -> str | None:
        token: str | None = self.configuration.api_key.get("BearerToken")
        return token


class ClusterAccess:
    """The API server's URL, a TLS context for it, and a bearer token that stays fresh.

    The token is taken anew when the kubeconfig was written again, when the plugin that gave it says
    that it is about to end, and, as not all say it, when the API server has refused it.
    """

    def __init__(self, kubeconfig: Path | None, loaded: _Loaded, recheck_seconds: float) -> None:
        """Go on from what `load` has read."""
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
        """Read the kubeconfig at this path, or the pod's own account when there is none.

        Whether the token is still the newest is looked at every `recheck_seconds`.
        """
        return cls(kubeconfig, await _load(kubeconfig), recheck_seconds)

    @property
    def url(self) -> str:
        """The API server's URL without a trailing slash."""
        return str(self._loaded.configuration.host).rstrip("/")

    def tls(self) -> ssl.SSLContext | bool:
        """Return the TLS context: the cluster's CA, and our client certificate if we have one."""
        configuration = self._loaded.configuration
        context = ssl.create_default_context(
            cafile=configuration.ssl_ca_cert, cadata=configuration.ca_cert_data
        )
        if configuration.cert_file:
            context.load_cert_chain(configuration.cert_file, configuration.key_file)
        if not configuration.verify_ssl:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context

    async def authorization(self) -> str | None:
        """Return the Authorization header; only who has none that holds waits for a new one."""
        if (self._renewal is None or self._renewal.done()) and self._is_due():
            self._renewal = asyncio.create_task(self._renew())
        if self._renewal is not None and self._is_over():
            # It goes on for the others when this caller's time is up.
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
        # A token that is over is not left so for the rest of the pause; nor is a plugin run more
        # often where the new one is refused, too.
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
        except Exception as error:  # whatever is wrong there now, what we have may still do
            _log.warning("credential not renewed", error=repr(error))
            return
        if loaded.token is None and self._loaded.token is not None:
            # The `kubernetes` package says so of a plugin that failed, and logs why.
            _log.warning("credential not renewed", error="no token was given")
            return
        self._loaded, self._is_refused = loaded, False


async def _load(kubeconfig: Path | None) -> _Loaded:
    configuration = Configuration()
    if kubeconfig is None:
        load_incluster_config(client_configuration=configuration, try_refresh_token=False)
        return _Loaded(configuration, modified=0.0, ends=math.inf)
    # Before it is read: what is written meanwhile is read the next time.
    modified = _modified_at(kubeconfig)
    loader = await load_kube_config(config_file=str(kubeconfig), client_configuration=configuration)
    # The package notes it where a plugin gave the token, and only there.
    expiry = getattr(loader, "exec_plugin_expiry", None)
    return _Loaded(configuration, modified, math.inf if expiry is None else expiry.timestamp())


def _modified_at(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:  # it is being replaced
        return 0.0
