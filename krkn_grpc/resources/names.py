"""The name of every object that belongs to a job or a target.

A name is computed from identity and never read from a spec: creating the same object again
gives "already exists", and no user can make the controller use another object.
"""

import hashlib
from functools import lru_cache

from krkn_grpc.resources.ids import is_id
from krkn_grpc.resources.kubeconfig import normalise_url

PROVIDER = "krkn-operator"
CONTAINER = "scenario"
CONTROLLER_LEASE = "krkn-grpc-controller"
_POD = "krkn-job-"
_NAME_RESERVATION = "krkn-target-name-"
_URL_RESERVATION = "krkn-target-url-"
# Each sweep needs the names of all targets again.
_KNOWN = 16_384


def pod_for(job_id: str) -> str:
    """Return the name of the job's scenario pod."""
    return f"{_POD}{job_id}"


def job_of_pod(pod: str) -> str | None:
    """Return the id of the job that a pod of this name is for, None when it is for no job."""
    job_id = pod.removeprefix(_POD)
    return job_id if job_id != pod and is_id(job_id) else None


def kubeconfig_secret_for(job_id: str) -> str:
    """Return the name of the Secret with the job's own copy of the kubeconfig."""
    return f"krkn-job-{job_id}"


def inputs_secret_for(job_id: str) -> str:
    """Return the name of the Secret with the job's files and secret environment."""
    return f"krkn-job-{job_id}-inputs"


def registry_secret_for(job_id: str) -> str:
    """Return the name of the job's image pull Secret."""
    return f"krkn-job-{job_id}-registry"


def secrets_of(job_id: str) -> tuple[str, str, str]:
    """Return the names that the Secrets of a job can have."""
    return kubeconfig_secret_for(job_id), inputs_secret_for(job_id), registry_secret_for(job_id)


def network_policy_for(job_id: str) -> str:
    """Return the name of the NetworkPolicy that lets the job's pod out to its target."""
    return f"krkn-job-{job_id}"


def file_key(index: int) -> str:
    """Return the key of the job's n-th file in its inputs Secret."""
    return f"file-{index}"


def environment_key(name: str) -> str:
    """Return the key of a secret environment variable in the job's inputs Secret."""
    return f"env-{name}"


@lru_cache(maxsize=_KNOWN)
def name_reservation(cluster_name: str) -> str:
    """Return the name of the Lease that reserves a cluster name."""
    return f"{_NAME_RESERVATION}{_digest(cluster_name)}"


@lru_cache(maxsize=_KNOWN)
def url_reservation(cluster_api_url: str) -> str:
    """Return the name of the Lease that reserves an API URL, however it is spelled."""
    return f"{_URL_RESERVATION}{_digest(normalise_url(cluster_api_url))}"


def is_reservation(lease: str) -> bool:
    """Whether a Lease of this name reserves a cluster name or an API URL."""
    return lease.startswith((_NAME_RESERVATION, _URL_RESERVATION))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:40]
