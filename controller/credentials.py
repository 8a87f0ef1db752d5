"""The text of a kubeconfig that a job's pod is given, after the check of what the Secret holds."""

import hashlib
from collections.abc import MutableMapping

from cachetools import LRUCache

from controller.jobs import credential
from controller.jobs.model import Credential, Refusal
from krkn_grpc.resources import kubeconfig as kubeconfigs
from krkn_grpc.resources.addresses import AddressRules
from krkn_grpc.resources.core import Secret
from krkn_grpc.resources.target import Target
from krkn_grpc.resources.trust import is_credential_of, submitted_text

_MOST_PASSED = 8_192


class Handover:
    """Checks each target's Secret, and takes a text apart once only.

    A thousand jobs are given the same few credentials. Of one that has passed, a digest is kept
    and the server that it is for, nothing of itself: the Secret is read for every pod.
    """

    def __init__(self, rules: AddressRules) -> None:
        """Check by these rules, which hold as long as the process lives."""
        self._rules = rules
        self._passed: MutableMapping[bytes, str] = LRUCache(_MOST_PASSED)

    def credential(self, secret: Secret | None, target: Target) -> Credential | Refusal:
        """Return what a pod on this target is given, or why what is stored must not be used."""
        if secret is not None and self._has_passed(secret, target):
            return Credential(_text(secret))
        found = credential.check(secret, target, self._rules)
        if isinstance(found, Refusal):
            return found
        assert secret is not None, "without a Secret there is nothing to pass"
        rendered = kubeconfigs.render(found)
        # What others have written may be spelled as they like; it is never handed on as it stands.
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
