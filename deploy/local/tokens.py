"""Renews the services' tokens, also on a machine that sleeps."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import aiohttp

from deploy.local.cluster import credentials
from deploy.local.cluster.api import Cluster, ClusterError
from deploy.local.errors import StartError
from deploy.local.services import TOKEN_SECONDS, Services

LOOK_SECONDS = 5.0


async def keep_fresh(
    renew: Callable[[], Awaitable[None]],
    note: Callable[[str], None],
    *,
    clock: Callable[[], float] = time.time,
    look_seconds: float = LOOK_SECONDS,
) -> None:
    """Renew the tokens, which are new now, whenever half of their lifetime is over.

    Tokens also age while the machine sleeps and the event loop's clock stands still: so the time
    of day is checked every `look_seconds`. A renewal that fails is retried at the next check.
    """
    renewed_at = clock()
    while True:
        await asyncio.sleep(look_seconds)
        now = clock()
        if not is_due(renewed_at, now):
            continue
        try:
            await renew()
            renewed_at = now
        except (ClusterError, StartError, aiohttp.ClientError, OSError) as error:
            note(f"the services' tokens could not be renewed, trying again: {error}")


def is_due(renewed_at: float, now: float) -> bool:
    """Return whether half of a token's lifetime is over; both are times of day, in seconds."""
    # Absolute: after a clock was set back far, the renewal would come after the expiry.
    return abs(now - renewed_at) >= TOKEN_SECONDS / 2


async def renew_as_administrator(services: Services, kubeconfig: Path, private: Path) -> None:
    """Renew the tokens as the user of this kubeconfig, which is read again.

    The administrator's own token may be short-lived, too: one of EKS expires after 15 minutes.
    """
    given = await credentials.of_kubeconfig(kubeconfig, private)
    async with Cluster(given) as cluster:
        await services.refresh_tokens(cluster)
