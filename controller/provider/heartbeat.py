"""Registers the provider at the start, renews its heartbeat, and deactivates it at the end.

An administrator's `active: false` stays: only a provider that the controller deactivated at its
shutdown, marked by an annotation, is activated again.
"""

import asyncio
from datetime import UTC, datetime
from typing import Any

import structlog

from krkn_grpc.kube.client import ResourceClient
from krkn_grpc.kube.errors import AlreadyExists, KubeError, NotFound
from krkn_grpc.resources.meta import ObjectMeta
from krkn_grpc.resources.names import PROVIDER
from krkn_grpc.resources.provider import Provider, ProviderSpec, ProviderStatus
from krkn_grpc.resources.well_known import INACTIVE_BY
from krkn_grpc.telemetry import metrics
from krkn_grpc.told import told

_SHUTDOWN = "shutdown"
_log = structlog.get_logger(__name__)


async def keep_registered(providers: ResourceClient[Provider], every_seconds: float) -> None:
    """Register and renew the heartbeat until cancelled; the next beat retries a failure."""
    is_registered = False
    while True:
        try:
            if not (is_registered and await _is_renewed(providers)):
                await register(providers)
                is_registered = True
                await _beat(providers)
        except KubeError as error:
            _log.warning("provider not renewed", error=told(error))
        await asyncio.sleep(every_seconds)


async def register(providers: ResourceClient[Provider]) -> None:
    """Create the provider, or activate it again if the controller deactivated it."""
    new = Provider(
        metadata=ObjectMeta(name=PROVIDER, namespace=providers.namespace),
        spec=ProviderSpec(operator_name=PROVIDER),
    )
    try:
        await providers.create(new)
    except AlreadyExists:
        known = await providers.get(PROVIDER)
        # Also if it was activated by someone else meanwhile: the annotation must be removed.
        if known.metadata.annotations.get(INACTIVE_BY) == _SHUTDOWN:
            await providers.merge(PROVIDER, _change(known, is_active=True))


async def sign_off(providers: ResourceClient[Provider]) -> None:
    """Deactivate the provider; an administrator's `active: false` is left unchanged."""
    try:
        known = await providers.get(PROVIDER)
        if known.spec.active:
            await providers.merge(PROVIDER, _change(known, is_active=False))
    except KubeError as error:
        _log.warning("provider not signed off", error=told(error))


def _change(known: Provider, *, is_active: bool) -> dict[str, Any]:
    return {
        "metadata": {
            "resourceVersion": known.metadata.resource_version,
            "annotations": {INACTIVE_BY: None if is_active else _SHUTDOWN},
        },
        "spec": {"active": is_active},
    }


async def _is_renewed(providers: ResourceClient[Provider]) -> bool:
    """Renew the heartbeat; return False if the provider was deleted."""
    try:
        await _beat(providers)
    except NotFound:
        return False
    return True


async def _beat(providers: ResourceClient[Provider]) -> None:
    known = await providers.get(PROVIDER)
    now = datetime.now(UTC).replace(microsecond=0)
    await providers.replace_status(known, ProviderStatus(timestamp=now))
    metrics.HEARTBEAT.set_to_current_time()
