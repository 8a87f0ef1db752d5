"""Reads the credential of a target and checks it as untrusted input."""

import hashlib
from collections.abc import MutableMapping

from cachetools import LRUCache

from controller.reason import Reason
from krkn_grpc.kube.client import ResourceClient
from krkn_grpc.kube.errors import NotFound
from krkn_grpc.kube.paths import BadName
from krkn_grpc.resources import kubeconfig as kubeconfigs
from krkn_grpc.resources.addresses import AddressRules
from krkn_grpc.resources.core import Secret
from krkn_grpc.resources.credential_secret import Credential, is_credential_of, submitted_text
from krkn_grpc.resources.kubeconfig import Kubeconfig, KubeconfigError, KubeconfigRules
from krkn_grpc.resources.target import ADDRESS_REFUSED, INVALID_KUBECONFIG, Target


async def find(
    secrets: ResourceClient[Secret], target: Target, rules: AddressRules
) -> Kubeconfig | Reason:
    """Return the target's kubeconfig, or the reason why the stored one must not be used."""
    try:
        secret = await secrets.get(target.spec.secret_uuid)
    except (NotFound, BadName):
        return check(None, target, rules)
    return check(secret, target, rules)


def check(secret: Secret | None, target: Target, rules: AddressRules) -> Kubeconfig | Reason:
    """Return the kubeconfig in the target's Secret, or the reason why it must not be used."""
    if secret is None:
        return Reason(INVALID_KUBECONFIG, "The target's Secret does not exist.")
    if not is_credential_of(secret, target):
        return Reason(INVALID_KUBECONFIG, "The Secret that the target names is not its own.")
    try:
        text = submitted_text(secret)
        kubeconfig = kubeconfigs.from_secret_data(text, KubeconfigRules(rules.allow_proxy_url))
    except (KubeconfigError, ValueError):
        return Reason(INVALID_KUBECONFIG, "The target's kubeconfig is refused.")
    if kubeconfig.server != target.spec.cluster_api_url:
        return Reason(INVALID_KUBECONFIG, "The kubeconfig is for another server than the target.")
    if rules.check_literal(kubeconfig.endpoint.host) is not None:
        return Reason(ADDRESS_REFUSED, "The target's address is not one that may be contacted.")
    return kubeconfig


_MOST_PASSED = 8_192


class CredentialCache:
    """Checks each target's Secret, and parses each text only once.

    A thousand jobs use the same few credentials. For a credential that passed, only a digest and
    its server are cached, not the credential: the Secret is read for every pod.
    """

    def __init__(self, rules: AddressRules) -> None:
        """Check by these rules, which are constant for the life of the process."""
        self._rules = rules
        self._passed: MutableMapping[bytes, str] = LRUCache(_MOST_PASSED)

    def credential(self, secret: Secret | None, target: Target) -> Credential | Reason:
        """Return the credential for the target's pods, or why the stored one must not be used."""
        if secret is not None and self._has_passed(secret, target):
            return Credential(_text(secret))
        found = check(secret, target, self._rules)
        if isinstance(found, Reason):
            return found
        assert secret is not None, "without a Secret there is nothing to pass"
        rendered = kubeconfigs.render(found)
        # A foreign text may have any form; it is never passed on unchanged.
        if rendered == _text(secret):
            self._passed[_digest(secret)] = found.server
        return Credential(rendered)

    def _has_passed(self, secret: Secret, target: Target) -> bool:
        is_own = is_credential_of(secret, target)
        return is_own and self._passed.get(_digest(secret)) == target.spec.cluster_api_url


def _digest(secret: Secret) -> bytes:
    return hashlib.sha256(secret.data.get(kubeconfigs.SECRET_KEY, "").encode()).digest()


def _text(secret: Secret) -> str:
    return kubeconfigs.unwrap(submitted_text(secret))
