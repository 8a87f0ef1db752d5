"""Our section of a request's Secret, which all providers share. Pure.

The Secret has one JSON text, `{provider: {cluster: {...}}}`. Each provider replaces its own section
only; those of others are kept byte for byte.
"""

import base64
import binascii
from dataclasses import dataclass

import msgspec

from krkn_grpc.resources.core import Secret
from krkn_grpc.resources.names import PROVIDER
from krkn_grpc.resources.target_request import (
    SECRET_KEY,
    DiscoveredCluster,
    Section,
    TargetRequestSummary,
)

# The API server accepts 1 MiB; the rest is for the sections of providers that come later.
MOST_BYTES = 900 * 1024

_SECTIONS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_SECTION = msgspec.json.Decoder(Section)


@dataclass(frozen=True)
class Absent:
    """There is no Secret for the request."""


@dataclass(frozen=True)
class NotOurs:
    """A Secret of that name exists, and the request is not its controller: nobody may trust it."""


@dataclass(frozen=True)
class Unreadable:
    """The Secret's text is not the JSON that providers share; it is left as it is."""


@dataclass(frozen=True)
class Present:
    """The Secret as it was read: its version and the sections of all providers."""

    resource_version: str
    sections: dict[str, msgspec.Raw]

    @property
    def own(self) -> Section | None:
        """Our section; None if it is absent or was not written by us."""
        return _read(self.sections.get(PROVIDER))


SecretState = Absent | NotOurs | Unreadable | Present


def read(secret: Secret | None, request: TargetRequestSummary) -> SecretState:
    """Return the state of the request's Secret."""
    if secret is None:
        return Absent()
    if not secret.metadata.is_controlled_by(request.metadata.uid):
        return NotOurs()
    if SECRET_KEY not in secret.data:
        return Present(secret.metadata.resource_version, {})
    try:
        text = base64.b64decode(secret.data[SECRET_KEY], validate=True)
        sections = _SECTIONS.decode(text)
    except (binascii.Error, msgspec.MsgspecError, RecursionError):
        return Unreadable()
    return Present(secret.metadata.resource_version, sections)


def _read(raw: msgspec.Raw | None) -> Section | None:
    if raw is None:
        return None
    try:
        return _SECTION.decode(raw)
    except (msgspec.MsgspecError, RecursionError):
        return None


@dataclass(frozen=True)
class Fitted:
    """The Secret's new text, and our section in it."""

    text: bytes
    section: Section

    def __repr__(self) -> str:
        """Name the clusters without their credentials."""
        return f"Fitted({sorted(self.section)})"


def fit(state: Absent | Present, section: Section) -> Fitted | None:
    """Return the text with our section; None if the Secret has no room for it.

    If the Secret is too small for the kubeconfigs, only the names and URLs are written: our own
    runs read the Secrets of targets.
    """
    others = state.sections if isinstance(state, Present) else {}
    for tried in (section, without_kubeconfigs(section)):
        text = msgspec.json.encode({**others, PROVIDER: tried})
        if len(text) <= MOST_BYTES:
            return Fitted(text, tried)
    return None


def without_kubeconfigs(section: Section) -> Section:
    """Return the section with the names and URLs alone."""
    return {
        name: DiscoveredCluster(cluster_name=each.cluster_name, cluster_api=each.cluster_api)
        for name, each in section.items()
    }


def lacks_kubeconfigs(section: Section) -> bool:
    """Whether the section was written without the kubeconfigs."""
    return bool(section) and not any(each.kubeconfig for each in section.values())
