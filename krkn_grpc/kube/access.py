"""How to reach our own cluster, and as whom.

The configuration is read by the `kubernetes` package, which knows all its forms. It may run an
`exec` plugin of the kubeconfig: that is right for our own cluster's, which the administrator
gave us, and the reason why no registered target's kubeconfig ever comes here.
"""

import ssl
import time
from dataclasses import dataclass
from pathlib import Path

from kubernetes.aio.client import Configuration
from kubernetes.aio.config import load_incluster_config, load_kube_config

_RECHECK_SECONDS = 10.0


@dataclass
class ClusterAccess:
    """The API server's URL, a TLS context for it, and a bearer token that stays fresh."""

    kubeconfig: Path | None
    _configuration: Configuration
    _checked: float
    _modified: float

    @classmethod
    async def load(cls, kubeconfig: Path | None) -> "ClusterAccess":
        """Read the kubeconfig at this path, or the pod's own account when there is none."""
        return cls(
            kubeconfig,
            await _read(kubeconfig),
            time.monotonic(),
            _modified_at(kubeconfig),
        )

    @property
    def url(self) -> str:
        """The API server's URL without a trailing slash."""
        return str(self._configuration.host).rstrip("/")

    def tls(self) -> ssl.SSLContext | bool:
        """Return the TLS context: the cluster's CA, and our client certificate if we have one."""
        configuration = self._configuration
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
        """Return the Authorization header; a token that was renewed on disk is picked up."""
        if time.monotonic() - self._checked > _RECHECK_SECONDS:
            self._checked = time.monotonic()
            modified = _modified_at(self.kubeconfig)
            if self.kubeconfig is None or modified != self._modified:
                self._configuration = await _read(self.kubeconfig)
                self._modified = modified
        token: str | None = self._configuration.api_key.get("BearerToken")
        return token


async def _read(kubeconfig: Path | None) -> Configuration:
    configuration = Configuration()
    if kubeconfig is None:
        load_incluster_config(client_configuration=configuration, try_refresh_token=False)
    else:
        await load_kube_config(config_file=str(kubeconfig), client_configuration=configuration)
    return configuration


def _modified_at(path: Path | None) -> float:
    return path.stat().st_mtime if path is not None else 0.0
