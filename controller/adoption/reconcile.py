"""Reconciles one provider: observe its newest answer, decide, act."""

from dataclasses import dataclass, field

import structlog

from controller.adoption.act import Actor
from controller.adoption.decide import decide
from controller.adoption.model import Observed
from controller.adoption.observe import Observer, source_of
from controller.adoption.section import Untrusted
from controller.work_queue import Requeue
from krkn_grpc.kube.errors import AlreadyExists, Conflict, Invalid, KubeError, NotFound
from krkn_grpc.resources.adopted import Source

_UNTRUSTED_SECONDS = 10.0
_NOT_AS_SEEN = (AlreadyExists, Conflict, Invalid, NotFound)

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Reconciler:
    """Adopts the clusters of providers, one provider after the other."""

    observer: Observer
    actor: Actor
    _done: dict[str, Source] = field(default_factory=dict)
    _told: dict[str, Source] = field(default_factory=dict)

    async def reconcile(self, provider: str) -> float | None:
        """Do all that the provider's newest answer asks for; return when to look again, if ever.

        Raises Requeue when an object was not as it was seen.
        """
        newest = self.observer.newest(provider)
        if newest is None or self._done.get(provider) == source_of(newest.metadata):
            return None
        try:
            seen = await self.observer.observe(provider, newest)
        except Untrusted as error:
            self._tell(provider, source_of(newest.metadata), str(error))
            # A provider may write it late, against the rule.
            return _UNTRUSTED_SECONDS
        if seen is None:
            return None
        # Before the work: it must not hide that a target goes meanwhile.
        self._done[provider] = seen.source
        try:
            await self._apply(seen)
        except Exception:
            self.forget(provider)
            raise
        return None

    def forget(self, provider: str) -> None:
        """Let the provider's newest answer be looked at again."""
        self._done.pop(provider, None)

    async def _apply(self, seen: Observed) -> None:
        self._tell_refusals(seen)
        failed: Exception | None = None
        for action in decide(seen):
            try:
                await self.actor.act(action)
            except (*_NOT_AS_SEEN, Requeue) as error:
                # The other clusters must not wait for this one.
                failed = error
            except KubeError as error:
                failed = failed or error
        if isinstance(failed, _NOT_AS_SEEN):
            raise Requeue(str(failed)) from failed
        if failed is not None:
            raise failed

    def _tell_refusals(self, seen: Observed) -> None:
        if self._told.get(seen.provider) == seen.source:
            return
        self._told[seen.provider] = seen.source
        for name, found in seen.found.items():
            if found.refusal:
                _log.warning(
                    "cluster not adopted",
                    provider=seen.provider,
                    cluster=name,
                    reason=found.refusal,
                )

    def _tell(self, provider: str, source: Source, why: str) -> None:
        if self._told.get(provider) != source:
            self._told[provider] = source
            _log.warning("clusters not adopted", provider=provider, reason=why)
