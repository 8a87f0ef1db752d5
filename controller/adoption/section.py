"""Reads one provider's section in the Secret of a request, as untrusted input. Pure.

The server's account may create Secrets, and so may others: a Secret is trusted only as the one that
a provider wrote for this request, which its controller reference to the request's uid says. Of the
other sections nothing is read.
"""

import base64
from collections.abc import Iterable

import msgspec

from controller.adoption.model import Found
from krkn_grpc.resources import kubeconfig as kubeconfigs
from krkn_grpc.resources.addresses import AddressRules
from krkn_grpc.resources.core import Secret
from krkn_grpc.resources.kubeconfig import KubeconfigError, KubeconfigRules
from krkn_grpc.resources.target_request import SECRET_KEY, DiscoveredCluster
from krkn_grpc.resources.text import can_be_shown, trimmed

_LONGEST_NAME = 253

_NOT_SHOWN = "Its name has characters that a target's name may not have, or too many."
_NO_KUBECONFIG = "It has no kubeconfig."
_NOT_READ = "Its entry in the Secret cannot be read."
_TOO_LARGE = "Its kubeconfig is too large."

_sections = msgspec.json.Decoder(dict[str, msgspec.Raw])
_entry = msgspec.json.Decoder(DiscoveredCluster)


class Untrusted(Exception):
    """The Secret, or the provider's section of it, is not to be used; the text says why."""


def read(
    secret: Secret | None,
    request_uid: str,
    provider: str,
    names: Iterable[str],
    rules: AddressRules,
) -> dict[str, Found]:
    """Return what the section has for each of these clusters.

    Raises Untrusted when it cannot be used at all. One cluster's bad entry is that cluster's alone.
    """
    entries = _section(secret, request_uid, provider)
    return {name: _found(name, entries.get(name), rules) for name in names}


def _section(secret: Secret | None, request_uid: str, provider: str) -> dict[str, msgspec.Raw]:
    if secret is None:
        raise Untrusted("the request has no Secret")
    if not secret.metadata.is_controlled_by(request_uid):
        raise Untrusted("the Secret is not the request's own")
    try:
        text = base64.b64decode(secret.data[SECRET_KEY], validate=True)
        return _sections.decode(_sections.decode(text)[provider])
    except (KeyError, ValueError, RecursionError):
        # Without the cause, which has the content.
        raise Untrusted("the Secret has no section of the provider that can be read") from None


def _found(name: str, raw: msgspec.Raw | None, rules: AddressRules) -> Found:
    if not 1 <= len(name) <= _LONGEST_NAME or name != trimmed(name) or not can_be_shown(name):
        return Found(refusal=_NOT_SHOWN)
    if raw is None:
        return Found(refusal=_NO_KUBECONFIG)
    try:
        entry = _entry.decode(raw)
    except (msgspec.MsgspecError, RecursionError):
        return Found(refusal=_NOT_READ)
    if entry.cluster_name not in ("", name):
        return Found(refusal=_NOT_READ)
    if not entry.kubeconfig:
        return Found(refusal=_NO_KUBECONFIG)
    return _checked(entry.kubeconfig, rules)


def _checked(submitted: str, rules: AddressRules) -> Found:
    """Check the kubeconfig as a registration's: the same content is refused."""
    try:
        kubeconfig = kubeconfigs.read(
            kubeconfigs.decode_submitted(submitted), KubeconfigRules(rules.allow_proxy_url)
        )
    except KubeconfigError as error:
        return Found(refusal=f"Its kubeconfig is refused: {error.violations[0].description}")
    if (refusal := rules.check_literal(kubeconfig.endpoint.host)) is not None:
        return Found(refusal=refusal)
    if not kubeconfigs.can_be_read(kubeconfig):
        return Found(refusal=_TOO_LARGE)
    return Found(kubeconfig)
