"""The administrator's credentials for an API server: a client certificate or a kubeconfig."""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy.local.cluster.certificates import KeyPair
from deploy.local.errors import StartError
from krkn_grpc.tls import cluster_context


@dataclass(frozen=True)
class Credentials:
    """The URL of an API server, its CA, and the client's TLS context and headers."""

    url: str
    ca_pem: str
    """PEM; if empty, the machine's trusted CAs apply."""
    tls: ssl.SSLContext
    headers: Mapping[str, str]


def of_certificate(url: str, ca_pem: str, pair: KeyPair) -> Credentials:
    """Return credentials with a client certificate."""
    tls = cluster_context(ca_pem=ca_pem)
    tls.load_cert_chain(pair.certificate, pair.key)
    return Credentials(url, ca_pem, tls, {})


async def of_kubeconfig(path: Path, folder: Path) -> Credentials:
    """Return the credentials of the kubeconfig's current context; may run a plugin, like kubectl.

    A token from a plugin can expire: read the kubeconfig again after a longer pause. `folder` is
    a private one, for certificates that have to be files.
    """
    # Imported here because it takes two seconds and is needed only for an existing cluster.
    from kubernetes.aio.client import Configuration  # noqa: PLC0415
    from kubernetes.aio.config import load_kube_config  # noqa: PLC0415

    from krkn_grpc.kube.kubeconfig_fault import unusable  # noqa: PLC0415

    configuration = Configuration()
    try:
        await load_kube_config(
            config_file=str(path),
            client_configuration=configuration,
            persist_config=False,
            temp_file_path=str(folder),
        )
        ca_pem = _read(configuration.ssl_ca_cert)
        tls = cluster_context(ca_pem=ca_pem or None)
        if configuration.cert_file:
            tls.load_cert_chain(configuration.cert_file, configuration.key_file)
    except Exception as error:  # of any class: the package checks little of what it reads
        raise StartError(str(unusable(path, error))) from None
    if not configuration.verify_ssl:
        raise StartError(
            f"KRKN_KUBECONFIG={path} skips TLS verification; give the cluster's CA instead"
        )
    token = await configuration.get_api_key_with_prefix("BearerToken")
    headers = {"Authorization": token} if token else {}
    return Credentials(str(configuration.host).rstrip("/"), ca_pem, tls, headers)


def _read(file: str | None) -> str:
    return Path(file).read_text() if file else ""
