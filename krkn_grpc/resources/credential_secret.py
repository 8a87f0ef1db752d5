"""Which Secret is a target's own: what a spec names is not enough, anyone may have written it."""

import base64

from krkn_grpc.resources import labels
from krkn_grpc.resources.core import Secret
from krkn_grpc.resources.kubeconfig import SECRET_KEY
from krkn_grpc.resources.target import Target


def is_credential_of(secret: Secret, target: Target) -> bool:
    """Whether the Secret belongs to this very target, by label and by owner."""
    return secret.metadata.labels.get(labels.TARGET_UUID) == target.metadata.name and (
        secret.metadata.is_owned_by(target.metadata.uid)
    )


def submitted_text(secret: Secret) -> str:
    """Return what the Secret holds for other providers to read; ValueError when there is none."""
    if SECRET_KEY not in secret.data:
        raise ValueError(f"the Secret has no key {SECRET_KEY}")
    return base64.b64decode(secret.data[SECRET_KEY], validate=True).decode()
