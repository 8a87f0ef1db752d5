"""Executes one step. Each write names the version that it is based on, so no step happens twice."""

import base64
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, assert_never

import msgspec
import structlog

from controller.target_requests.model import (
    Begin,
    Complete,
    Contribute,
    Remove,
    SetConditions,
    Step,
    Wait,
    WriteSection,
)
from controller.target_requests.section import Absent
from krkn_grpc.kube.client import ResourceClient
from krkn_grpc.resources.core import Secret
from krkn_grpc.resources.meta import ObjectMeta, owner_of
from krkn_grpc.resources.names import PROVIDER
from krkn_grpc.resources.target_request import (
    COMPLETED,
    PENDING,
    SECRET_KEY,
    TargetRequestSummary,
)
from krkn_grpc.resources.well_known import REQUEST_UUID, TARGET_REQUEST

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Actor:
    """Writes requests and their Secrets."""

    requests: ResourceClient[TargetRequestSummary]
    secrets: ResourceClient[Secret]
    clock: Callable[[], datetime]

    async def act(self, request: TargetRequestSummary, step: Step) -> float | None:
        """Execute the step; return the seconds until the next reconcile, None: at the next change.

        Raises Conflict, NotFound or AlreadyExists when the objects are no longer as they were seen,
        and other KubeErrors when a write failed.
        """
        match step:
            case Wait(seconds):
                return seconds
            case Begin():
                await self._begin(request)
            case WriteSection():
                await self._write_section(request, step)
                return 0.0  # Nobody watches Secrets.
            case Contribute(clusters, conditions):
                await self._merge(request, targetData={PROVIDER: clusters}, conditions=conditions)
                _log.info(
                    "target request answered",
                    request=request.metadata.name,
                    clusters=len(clusters),
                )
            case Complete(conditions):
                now = self.clock().replace(microsecond=0)
                await self._merge(request, status=COMPLETED, completed=now, conditions=conditions)
                _log.info("target request completed", request=request.metadata.name)
            case SetConditions(conditions):
                await self._merge(request, conditions=conditions)
            case Remove():
                await self._remove(request)
            case _:
                assert_never(step)
        return None

    async def _begin(self, request: TargetRequestSummary) -> None:
        metadata = request.metadata
        if metadata.labels.get(REQUEST_UUID) != metadata.name:
            change = {"metadata": _version(metadata) | {"labels": {REQUEST_UUID: metadata.name}}}
            metadata = await self.requests.merge(metadata.name, change)
        begun = msgspec.structs.replace(request, metadata=metadata)
        await self._merge(begun, status=PENDING, created=metadata.creation_timestamp)

    async def _write_section(self, request: TargetRequestSummary, step: WriteSection) -> None:
        text = base64.b64encode(step.fitted.text).decode()
        name = request.metadata.name
        if isinstance(step.secret, Absent):
            metadata = ObjectMeta(
                name=name,
                namespace=request.metadata.namespace,
                labels={TARGET_REQUEST: name},
                owner_references=[owner_of(request, controller=True)],
            )
            await self.secrets.create(Secret(metadata=metadata, data={SECRET_KEY: text}))
            return
        await self.secrets.merge(
            name,
            {
                "metadata": {"resourceVersion": step.secret.resource_version},
                "data": {SECRET_KEY: text},
            },
        )

    async def _merge(self, request: TargetRequestSummary, **status: Any) -> None:
        """Write these fields of the status; those of other providers stay."""
        await self.requests.merge_status(
            request.metadata.name,
            {"metadata": _version(request.metadata), "status": status},
        )

    async def _remove(self, request: TargetRequestSummary) -> None:
        metadata = request.metadata
        await self.requests.delete(
            metadata.name, uid=metadata.uid, resource_version=metadata.resource_version
        )
        _log.info("target request removed", request=metadata.name)


def _version(metadata: ObjectMeta) -> dict[str, Any]:
    return {"uid": metadata.uid, "resourceVersion": metadata.resource_version}
