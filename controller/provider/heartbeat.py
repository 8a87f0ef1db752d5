"""Registers the provider at the start, renews its heartbeat, and signs off at the end.

An administrator's `active: false` stays: only what we switched off at a shutdown, marked by an
annotation, is switched on again.
"""

import asyncio
from datetime import UTC, datetime
from typing import Any

import structlog

from krkn_grpc.kube.errors import AlreadyExists, KubeError, NotFound
from krkn_grpc.kube.store import Store
from krkn_grpc.resources.labels import INACTIVE_BY
from krkn_grpc.resources.meta import ObjectMeta
from krkn_grpc.resources.names import PROVIDER
from krkn_grpc.resources.provider import Provider, ProviderSpec, ProviderStatus

_SHUTDOWN = "shutdown"
_log = structlog.get_logger(__name__)


async def keep_registered(providers: Store[Provider], every_seconds: float) -> None:
    """Register and beat until cancelled; a failure is tried again at the next beat."""
    is_registered = False
    while True:
        try:
            if not (is_registered and await _is_renewed(providers)):
                await register(providers)
                is_registered = True
                await _beat(providers)
        except KubeError as error:
            _log.warning("provider not renewed", error=str(error))
        await asyncio.sleep(every_seconds)


async def register(providers: Store[Provider]) -> None:
    """Create the provider; or switch it on again if we were the one that switched it off."""
    new = Provider(
        metadata=ObjectMeta(name=PROVIDER, namespace=providers.namespace),
        spec=ProviderSpec(operator_name=PROVIDER),
    )
    try:
        await providers.create(new)
    except AlreadyExists:
        known = await providers.get(PROVIDER)
        # Also when someone else has switched it on meanwhile: the mark must not outlive its time.
        if known.metadata.annotations.get(INACTIVE_BY) == _SHUTDOWN:
            await providers.merge(PROVIDER, _change(known, is_active=True))


async def sign_off(providers: Store[Provider]) -> None:
    """Say that this service is away; an administrator's `active: false` is left as it is."""
    try:
        known = await providers.get(PROVIDER)
        if known.spec.active:
            await providers.merge(PROVIDER, _change(known, is_active=False))
    except KubeError as error:
        _log.warning("provider not signed off", error=str(error))


def _change(known: Provider, *, is_active: bool) -> dict[str, Any]:
    return {
        "metadata": {
            "resourceVersion": known.metadata.resource_version,
            "annotations": {INACTIVE_BY: None if is_active else _SHUTDOWN},
        },
        "spec": {"active": is_active},
    }


async def _is_renewed(providers: Store[Provider]) -> bool:
    """Beat, or say that someone has deleted the provider."""
    try:
        await _beat(providers)
    except NotFound:
        return False
    return True


async def _beat(providers: Store[Provider]) -> None:
    known = await providers.get(PROVIDER)
    now = datetime.now(UTC).replace(microsecond=0)
    await providers.replace_status(known, ProviderStatus(timestamp=now))
