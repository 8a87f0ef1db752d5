"""Carries out decisions. Every write is a create by name or states the version it expects.

    create: target, without a credential -> Secret -> target: where the credential is from
    copy:   Secret -> target: where the credential is from, and the URL if it changed

A crash between two writes leaves a target that the next reconcile completes: one without its note
is neither admitted nor probed. The Secret says itself where its data is from, in the same write: a
leader that was frozen cannot put an older credential over a newer one.
"""

import base64
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec
import structlog

from controller.adoption.model import Action, Copy, Create, Mark
from controller.work_queue import Requeue
from krkn_grpc.kube.client import ResourceClient
from krkn_grpc.kube.errors import NotFound
from krkn_grpc.kube.informer import Informer
from krkn_grpc.resources import ids, kubeconfig, well_known
from krkn_grpc.resources.adopted import Adoption, adopted_uuid, provider_label
from krkn_grpc.resources.core import Secret
from krkn_grpc.resources.credential_secret import is_credential_of
from krkn_grpc.resources.kubeconfig import Kubeconfig
from krkn_grpc.resources.meta import ObjectMeta, owner_of
from krkn_grpc.resources.target import SecretType, Target, TargetSpec

_FROM_A_KUBECONFIG: SecretType = "kubeconfig"

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Actor:
    """Writes adopted targets and their Secrets."""

    targets: Informer[Target]
    secrets: ResourceClient[Secret]
    clock: Callable[[], datetime]
    """The time as the API server has it."""

    async def act(self, action: Action) -> None:
        """Do one action.

        Raises Requeue, or Conflict, AlreadyExists, Invalid or NotFound, when an object is not as it
        was seen.
        """
        match action:
            case Create(name, credential, adoption):
                target = await self._create(name, credential, adoption)
                await self._copy(target, name, credential, adoption)
            case Copy(target, name, credential, adoption):
                await self._copy(target, name, credential, adoption)
            case Mark(target, adoption):
                await self._write(target, target.spec, adoption)
                _log.info("target marked", target=target.metadata.name, gone=adoption.is_gone)

    async def _create(self, name: str, credential: Kubeconfig, adoption: Adoption) -> Target:
        uuid = adopted_uuid(adoption.provider, name)
        wanted = Target(
            metadata=ObjectMeta(
                name=uuid,
                namespace=self.targets.client.namespace,
                labels=provider_label(adoption.provider),
                annotations=adoption.annotation,
            ),
            spec=TargetSpec(
                uuid=uuid,
                cluster_name=name,
                cluster_api_url=credential.server,
                secret_type=_FROM_A_KUBECONFIG,
                secret_uuid=ids.random_id(),
                insecure_skip_tls_verify=credential.insecure_skip_tls_verify,
            ),
        )
        created = await self.targets.client.create(wanted)
        self.targets.remember(created)
        _log.info("target adopted", target=uuid, provider=adoption.provider, cluster=name)
        return created

    async def _copy(
        self, target: Target, name: str, credential: Kubeconfig, adoption: Adoption
    ) -> None:
        wanted = msgspec.structs.replace(adoption, credential=adoption.source, probe_from=None)
        await self._write_secret(target, credential, wanted)
        spec = msgspec.structs.replace(
            target.spec,
            cluster_name=name,
            cluster_api_url=credential.server,
            secret_type=_FROM_A_KUBECONFIG,
            ca_bundle="",
            insecure_skip_tls_verify=credential.insecure_skip_tls_verify,
        )
        # Times of checks are whole seconds: one of this second may be of the former credential.
        now = self.clock()
        probe_from = now.replace(microsecond=0) + timedelta(seconds=1 if now.microsecond else 0)
        await self._write(target, spec, msgspec.structs.replace(wanted, probe_from=probe_from))
        _log.info("credential copied", target=target.metadata.name)

    async def _write_secret(
        self, target: Target, credential: Kubeconfig, adoption: Adoption
    ) -> None:
        text = kubeconfig.to_secret_data(credential)
        try:
            known = await self.secrets.get(target.spec.secret_uuid)
        except NotFound:
            await self.secrets.create(
                Secret(
                    metadata=ObjectMeta(
                        name=target.spec.secret_uuid,
                        namespace=target.metadata.namespace,
                        labels={well_known.TARGET_UUID: target.metadata.name},
                        annotations=adoption.annotation,
                        owner_references=[owner_of(target)],
                    ),
                    string_data={kubeconfig.SECRET_KEY: text},
                )
            )
            return
        if not is_credential_of(known, target):
            # Someone has changed the spec. Jobs that wait for the former Secret do not start.
            await self._name_another_secret(target)
            raise Requeue("the target named a Secret that is not its own")
        copied = Adoption.of(known.metadata)
        if copied is not None and copied.source > adoption.source:
            raise Requeue("a newer credential was copied meanwhile")
        if copied is not None and copied.credential == adoption.source:
            return
        await self.secrets.patch(known.metadata.name, _replaced(known, text, adoption))

    async def _name_another_secret(self, target: Target) -> None:
        change = {"metadata": _precondition(target), "spec": {"secretUUID": ids.random_id()}}
        await self.targets.client.merge(target.metadata.name, change)

    async def _write(self, target: Target, spec: TargetSpec, adoption: Adoption) -> None:
        metadata = _precondition(target) | {
            "labels": provider_label(adoption.provider),
            "annotations": adoption.annotation,
        }
        part: dict[str, Any] = {"metadata": metadata}
        if spec != target.spec:
            part["spec"] = {
                "clusterName": spec.cluster_name,
                "clusterAPIURL": spec.cluster_api_url,
                "secretType": spec.secret_type,
                "caBundle": spec.ca_bundle or None,
                "insecureSkipTLSVerify": spec.insecure_skip_tls_verify,
            }
        written = await self.targets.client.merge(target.metadata.name, part)
        self.targets.remember(msgspec.structs.replace(target, metadata=written, spec=spec))


def _precondition(target: Target) -> dict[str, Any]:
    metadata = target.metadata
    return {"uid": metadata.uid, "resourceVersion": metadata.resource_version}


def _replaced(secret: Secret, text: str, adoption: Adoption) -> list[dict[str, Any]]:
    """Return the patch of exactly this version of the Secret."""
    metadata = secret.metadata
    data = {kubeconfig.SECRET_KEY: base64.b64encode(text.encode()).decode()}
    return [
        {"op": "test", "path": "/metadata/uid", "value": metadata.uid},
        {"op": "test", "path": "/metadata/resourceVersion", "value": metadata.resource_version},
        {"op": "add", "path": "/data", "value": data},
        {
            "op": "add",
            "path": "/metadata/annotations",
            "value": metadata.annotations | adoption.annotation,
        },
    ]
