"""Makes an account for krkn in a target cluster with kubectl, as the user of a context."""

import base64
import json
import subprocess
import time
from pathlib import Path
from typing import Any

NAMESPACE = "krkn"
NAME = "krkn-grpc"
_SECONDS = 60.0
# The cluster fills in the token within a moment.
_TOKEN_SECONDS = 20.0


class AccountError(Exception):
    """The account could not be made; the message says why."""


def objects(role: str) -> list[dict[str, Any]]:
    """Return the namespace, the account, its role binding, and the Secret with its token."""
    of_account = {"name": NAME, "namespace": NAMESPACE}
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": of_account},
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": f"{NAME}-{role}"},
            "roleRef": {
                "apiGroup": "rbac.authorization.k8s.io",
                "kind": "ClusterRole",
                "name": role,
            },
            "subjects": [{"kind": "ServiceAccount", **of_account}],
        },
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "type": "kubernetes.io/service-account-token",
            "metadata": {
                **of_account,
                "annotations": {"kubernetes.io/service-account.name": NAME},
            },
        },
    ]


def token(kubeconfig: Path | None, context: str, role: str) -> str:
    """Make the account where it is missing, and return its token; raises AccountError.

    The token does not expire: to withdraw it, delete the Secret krkn/krkn-grpc of the cluster.
    """
    listed = {"apiVersion": "v1", "kind": "List", "items": objects(role)}
    _kubectl(kubeconfig, context, "apply", "-f", "-", given=json.dumps(listed))
    end = time.monotonic() + _TOKEN_SECONDS
    while time.monotonic() < end:
        said = _kubectl(kubeconfig, context, "get", "secret", NAME, "-n", NAMESPACE, "-o", "json")
        if encoded := (json.loads(said).get("data") or {}).get("token"):
            return base64.b64decode(encoded).decode()
        time.sleep(0.2)
    raise AccountError(f"context {context}: the cluster gave the account {NAME} no token")


def _kubectl(kubeconfig: Path | None, context: str, *arguments: str, given: str = "") -> str:
    # Without a file it is the one that kubectl itself finds.
    file = [] if kubeconfig is None else [f"--kubeconfig={kubeconfig}"]
    line = ["kubectl", *file, f"--context={context}", *arguments]
    try:
        ran = subprocess.run(  # noqa: S603  # as the user would
            line, input=given, capture_output=True, text=True, timeout=_SECONDS, check=False
        )
    except FileNotFoundError:
        raise AccountError("kubectl is needed to make an account, and is not on the PATH") from None
    except subprocess.TimeoutExpired:
        raise AccountError(f"context {context}: kubectl took longer than {_SECONDS:g} s") from None
    if ran.returncode:
        said = ran.stderr.strip().splitlines() or ["it said nothing"]
        raise AccountError(f"context {context}: kubectl {arguments[0]}: {said[-1]}")
    return ran.stdout
