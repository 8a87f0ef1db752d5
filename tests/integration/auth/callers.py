"""Who calls, in these tests: accounts with the ready-made roles, and others who may not."""

import base64
import json
import time
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from deploy.local.cluster.api import Cluster
from deploy.local.cluster.control_plane import ControlPlane
from tests.support.accounts import RBAC, make_account
from tests.support.custom_objects import HALTS, JOBS, TARGETS
from tests.support.waiting import eventually

AUDIENCE = "krkn-grpc"
GROUP = "krkn.krkn-chaos.dev"
REVIEWS = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
Metadata = tuple[tuple[str, str], ...]


def bearer(token: str) -> Metadata:
    """The metadata of a call with this token."""
    return (("authorization", f"Bearer {token}"),)


@dataclass
class Callers:
    """Accounts of one namespace and their tokens."""

    control_plane: ControlPlane
    namespace: str
    _tokens: dict[str, str] = field(default_factory=dict)

    @property
    def cluster(self) -> Cluster:
        """The administrator's calls."""
        return self.control_plane.cluster

    def name(self, account: str) -> str:
        """The account as Kubernetes names it."""
        return f"system:serviceaccount:{self.namespace}:{account}"

    async def token(self, account: str) -> str:
        """A token of the account that the service accepts."""
        if account not in self._tokens:
            self._tokens[account] = await self.cluster.token(
                self.namespace, account, seconds=3600, audiences=[AUDIENCE]
            )
        return self._tokens[account]

    async def metadata(self, account: str) -> Metadata:
        """The metadata of a call by the account."""
        return bearer(await self.token(account))

    async def make(self, account: str, *roles: str) -> Metadata:
        """Make an account, bind it, and return the metadata of its calls."""
        await make_account(self.cluster, self.namespace, account, *roles)
        return await self.metadata(account)

    async def make_role(self, name: str, *rules: dict[str, Any]) -> None:
        """Make a role on resources of our group."""
        role = {
            "apiVersion": f"{RBAC}/v1",
            "kind": "Role",
            "metadata": {"name": name, "namespace": self.namespace},
            "rules": [{"apiGroups": [GROUP], **rule} for rule in rules],
        }
        await self.cluster.apply([role])

    async def unbind(self, account: str, role: str) -> None:
        """Take the role from the account, and return when the API server knows of it."""
        path = f"/apis/{RBAC}/v1/namespaces/{self.namespace}/rolebindings/{account}-{role}"
        await self.cluster.request("DELETE", path)

    async def remove(self, account: str) -> None:
        """Delete the account: its tokens are nobody's."""
        path = f"/api/v1/namespaces/{self.namespace}/serviceaccounts/{account}"
        await self.cluster.request("DELETE", path)
        self._tokens.pop(account, None)

    async def until_allowed(
        self, account: str, verb: str, resource: str, name: str = "", *, allowed: bool = True
    ) -> None:
        """Wait until the API server has learned what the account may do, or may not any more."""

        async def look() -> bool:
            answer = await self.cluster.request(
                "POST",
                REVIEWS,
                {
                    "apiVersion": "authorization.k8s.io/v1",
                    "kind": "SubjectAccessReview",
                    "spec": {
                        "user": self.name(account),
                        "groups": ["system:authenticated"],
                        "resourceAttributes": {
                            "namespace": self.namespace,
                            "group": GROUP,
                            "resource": resource,
                            "verb": verb,
                            "name": name,
                        },
                    },
                },
            )
            return bool(answer["status"]["allowed"])

        await eventually(look, lambda found: found is allowed)

    async def wrong_audience(self, account: str) -> str:
        """A token of the account for the API server itself."""
        return await self.cluster.token(self.namespace, account, seconds=3600)

    async def signed_again(self, account: str, *, expires_in: float) -> str:
        """The account's token with another end, signed with the cluster's own key."""
        head, claims, _ = (await self.token(account)).split(".")
        now = int(time.time())
        end = int(now + expires_in)
        times = {"iat": min(now, end - 600), "nbf": min(now, end - 600), "exp": end}
        changed = _encode(json.dumps(json.loads(_decode(claims)) | times).encode())
        key = serialization.load_pem_private_key(
            self.control_plane.admin_kubeconfig.with_name("service-account.key").read_bytes(), None
        )
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        text = f"{head}.{changed}"
        r, s = decode_dss_signature(key.sign(text.encode(), ec.ECDSA(hashes.SHA256())))
        return f"{text}.{_encode(r.to_bytes(32) + s.to_bytes(32))}"


READY_MADE = {
    "viewer": ("krkn-viewer", "list", JOBS),
    "runner": ("krkn-runner", "run", TARGETS),
    "target-admin": ("krkn-target-admin", "delete", TARGETS),
    "halter": ("krkn-halter", "delete", HALTS),
    "alerter": ("krkn-alerter", "create", "krknchaosalerts"),
}
"""The ready-made roles, and what shows that one is bound."""


async def make_callers(control_plane: ControlPlane, namespace: str) -> Callers:
    """Make an account for each ready-made role, and one with none."""
    callers = Callers(control_plane, namespace)
    await callers.make("nobody")
    for account, (role, verb, resource) in READY_MADE.items():
        await callers.make(account, role)
        await callers.until_allowed(account, verb, resource)
    return callers


def _encode(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
