"""Looks up the credential for a job and checks it as if anyone could have written it."""

from controller.jobs.model import Refusal
from krkn_grpc.kube.errors import NotFound
from krkn_grpc.kube.paths import BadName
from krkn_grpc.kube.store import Store
from krkn_grpc.resources import kubeconfig as kubeconfigs
from krkn_grpc.resources.addresses import AddressRules
from krkn_grpc.resources.core import Secret
from krkn_grpc.resources.kubeconfig import Kubeconfig, KubeconfigError, KubeconfigRules
from krkn_grpc.resources.target import Target
from krkn_grpc.resources.trust import is_credential_of, submitted_text


async def find(secrets: Store[Secret], target: Target, rules: AddressRules) -> Kubeconfig | Refusal:
    """Return the target's kubeconfig, or why the one that is stored must not be used."""
    try:
        secret = await secrets.get(target.spec.secret_uuid)
    except (NotFound, BadName):
        return check(None, target, rules)
    return check(secret, target, rules)


def check(secret: Secret | None, target: Target, rules: AddressRules) -> Kubeconfig | Refusal:
    """Return the kubeconfig in the Secret that the target names, or why it must not be used."""
    if secret is None:
        return Refusal("InvalidKubeconfig", "The target's Secret does not exist.")
    if not is_credential_of(secret, target):
        return Refusal("InvalidKubeconfig", "The Secret that the target names is not its own.")
    try:
        text = submitted_text(secret)
        kubeconfig = kubeconfigs.from_secret_data(text, KubeconfigRules(rules.allow_proxy_url))
    except (KubeconfigError, ValueError):
        return Refusal("InvalidKubeconfig", "The target's kubeconfig is refused.")
    if kubeconfig.server != target.spec.cluster_api_url:
        return Refusal("InvalidKubeconfig", "The kubeconfig is for another server than the target.")
    if rules.check_literal(kubeconfig.endpoint.host) is not None:
        return Refusal("AddressRefused", "The target's address is not one that may be contacted.")
    return kubeconfig
