"""The digest of a call that registers a target, by which a repetition is recognised. Pure."""

import hashlib

import msgspec

from krkn_grpc.resources import kubeconfig as kubeconfigs
from krkn_grpc.server.digests import slow_digest
from krkn_grpc.server.targets.validate import NewTarget


def call_digest(new: NewTarget, caller: str, call_id: str) -> str:
    """Return the digest of a call: of its x-request-id, its caller and its whole body.

    Takes 50 ms: it includes the credential, and every reader of targets can read the digest.
    """
    body = msgspec.json.encode(
        [
            new.cluster_name,
            new.secret_type,
            new.ca_bundle,
            kubeconfigs.to_secret_data(new.kubeconfig),
            sorted(new.labels.items()),
            new.max_concurrent_jobs,
        ]
    )
    return slow_digest(hashlib.sha256(body).digest(), f"{call_id}/{caller}")[:64]
