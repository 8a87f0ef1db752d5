"""The endpoint that traces are sent to: OTEL_EXPORTER_OTLP_ENDPOINT, OTLP over gRPC."""

from typing import Annotated
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, AliasChoices

VARIABLE = "OTEL_EXPORTER_OTLP_ENDPOINT"
ALIAS = AliasChoices(VARIABLE, VARIABLE.lower())
"""The name of the setting, in the environment and as a field."""

_PORT = 4317


def _checked(text: str) -> str:
    if not text:
        return text
    try:
        parts = urlsplit(text)
        is_plain = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_plain = False
    if not is_plain or parts.path not in {"", "/"} or "@" in text or parts.query or parts.fragment:
        raise ValueError("must be http://HOST:PORT or https://HOST:PORT, of OTLP over gRPC")
    return text


OtlpEndpoint = Annotated[str, AfterValidator(_checked)]
"""A URL without a path; empty: no traces."""


class Address:
    """Host, port and scheme of an endpoint that was checked."""

    def __init__(self, endpoint: str) -> None:
        """Read the endpoint."""
        parts: SplitResult = urlsplit(endpoint)
        self.host = parts.hostname or ""
        self.port = parts.port or _PORT
        self.is_encrypted = parts.scheme == "https"

    def __str__(self) -> str:
        """Return the URL, with its port: a client of gRPC would take 443 where there is none."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.is_encrypted else 'http'}://{host}:{self.port}"
