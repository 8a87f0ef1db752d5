"""Targets and their Secrets as an administrator writes them with kubectl."""

import base64
import json
from dataclasses import dataclass
from typing import Any

from krkn_grpc.kube.client import ResourceClient
from krkn_grpc.resources import ids, well_known
from krkn_grpc.resources.core import Secret
from krkn_grpc.resources.meta import ObjectMeta, owner_of
from krkn_grpc.resources.target import Target, TargetSpec
from tests.support.requests import kubeconfig, unused_name, unused_url


@dataclass(frozen=True)
class Kubectl:
    """Writes to one namespace."""

    targets: ResourceClient[Target]
    secrets: ResourceClient[Secret]

    async def target(
        self,
        *,
        name: str = "",
        url: str = "",
        secret: str = "",
        annotations: dict[str, str] | None = None,
    ) -> Target:
        """Create a target of this cluster name, URL and name of a Secret; nothing else."""
        uuid = ids.new_id()
        spec = TargetSpec(
            uuid=uuid,
            cluster_name=name or unused_name(),
            cluster_api_url=url or unused_url(),
            secret_type="kubeconfig",
            secret_uuid=secret or ids.new_id(),
        )
        metadata = ObjectMeta(
            name=uuid, namespace=self.targets.namespace, annotations=annotations or {}
        )
        return await self.targets.create(Target(metadata=metadata, spec=spec))

    async def secret(
        self, target: Target, text: str | bytes, *, label: str = "", owner: Target | None = None
    ) -> Secret:
        """Create the Secret that the target names, with this kubeconfig, and have it looked at."""
        secret = await self.secrets.create(
            Secret(
                metadata=ObjectMeta(
                    name=target.spec.secret_uuid,
                    namespace=self.secrets.namespace,
                    labels={well_known.TARGET_UUID: label or target.metadata.name},
                    owner_references=[owner_of(owner or target)],
                ),
                string_data={"kubeconfig": secret_text(text)},
            )
        )
        # A change of the target, so that it is not a while until the controller looks again.
        await self.edit(target, secretType="token")
        return secret

    async def whole(self, *, name: str = "", url: str = "", token: str = "abc") -> Target:
        """Create a target and its Secret."""
        target = await self.target(name=name, url=url)
        await self.secret(target, kubeconfig(target.spec.cluster_api_url, token))
        return target

    async def edit(self, target: Target, **spec: Any) -> Target:
        """Change fields of the spec, given as they are called in YAML."""
        await self.targets.merge(target.metadata.name, {"spec": spec})
        return await self.targets.get(target.metadata.name)

    async def delete(self, target: Target) -> None:
        """Delete the target."""
        await self.targets.delete(target.metadata.name)


def secret_text(text: str | bytes) -> str:
    """What a Secret has under `kubeconfig`: JSON around base64."""
    raw = text.encode() if isinstance(text, str) else text
    return json.dumps({"kubeconfig": base64.b64encode(raw).decode()})
