"""Which hosts are this machine alone: others need authentication and TLS."""

from ipaddress import ip_address


def is_loopback(host: str) -> bool:
    """Whether a host (an address, also in brackets, or a name) is on the loopback interface."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"
