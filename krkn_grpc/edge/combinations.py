"""Which of Envoy's settings do not go together."""

from typing import TYPE_CHECKING

from krkn_grpc.edge import client_addresses
from krkn_grpc.loopback import is_loopback

if TYPE_CHECKING:
    from krkn_grpc.edge.settings import EnvoySettings


def problem(settings: "EnvoySettings") -> str | None:
    """Return why the settings are not safe together, or cannot work; None when they can."""
    ports = {"KRKN_REST_PORT": settings.rest_port, "KRKN_PROBE_PORT": settings.probe_port}
    for name, port in ports.items():
        if settings.has_metrics and settings.envoy_metrics_port == port:
            return f"KRKN_ENVOY_METRICS_PORT and {name} are both {port}"
    if settings.probe_port == settings.rest_port:
        return f"KRKN_PROBE_PORT and KRKN_REST_PORT are both {settings.rest_port}"
    if settings.logs_grpc_port == settings.grpc_port:
        return f"KRKN_LOGS_GRPC_PORT and KRKN_GRPC_PORT are both {settings.grpc_port}"
    is_local = is_loopback(settings.rest_host)
    calls_local = is_loopback(settings.grpc_host)
    if settings.auth == "none" and not is_local:
        return (
            f"KRKN_AUTH=none is for one's own machine: KRKN_REST_HOST is {settings.rest_host}, "
            "and every caller who reaches it could start chaos. Use 127.0.0.1 or "
            "KRKN_AUTH=kubernetes."
        )
    if settings.tls == "off" and not (is_local and calls_local):
        host = settings.grpc_host if is_local else settings.rest_host
        return (
            f"{host} is beyond this machine: tokens and credentials would go there "
            "unencrypted. Set KRKN_TLS=on with KRKN_TLS_DIRECTORY, or KRKN_TLS=mesh where a "
            "service mesh encrypts."
        )
    if settings.tls == "on" and not calls_local:
        return (
            "KRKN_TLS=on encrypts the way to Envoy, not the one from it to "
            f"KRKN_GRPC_HOST {settings.grpc_host}."
        )
    if settings.tls == "on" and settings.tls_directory is None:
        return "KRKN_TLS=on needs KRKN_TLS_DIRECTORY, with tls.crt and tls.key."
    if settings.tls_client_certificates and settings.tls != "on":
        return "KRKN_TLS_CLIENT_CERTIFICATES needs KRKN_TLS=on."
    try:
        _ = settings.page_key
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        return f"KRKN_PAGE_KEY_FILE={settings.page_key_file}: {why}"
    return client_addresses.problem(settings.client_address, settings.trusted_proxies)
