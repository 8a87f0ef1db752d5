"""Checks that a Secret belongs to a target: its name in a spec is no proof, anyone can write it."""

import base64
from dataclasses import dataclass, field

from krkn_grpc.resources import well_known
from krkn_grpc.resources.core import Secret
from krkn_grpc.resources.kubeconfig import SECRET_KEY
from krkn_grpc.resources.target import Target


def is_credential_of(secret: Secret, target: Target) -> bool:
    """Whether the Secret belongs to this very target, by label and by owner."""
    return secret.metadata.labels.get(well_known.TARGET_UUID) == target.metadata.name and (
        secret.metadata.is_owned_by(target.metadata.uid)
    )


def submitted_text(secret: Secret) -> str:
    """Return the Secret's value that other providers also read; ValueError when there is none."""
    if SECRET_KEY not in secret.data:
        raise ValueError(f"the Secret has no key {SECRET_KEY}")
    return base64.b64decode(secret.data[SECRET_KEY], validate=True).decode()


@dataclass(frozen=True)
class Credential:
    """The credential of a job's pod for its target: the text of a checked kubeconfig."""

    kubeconfig: str = field(repr=False)
