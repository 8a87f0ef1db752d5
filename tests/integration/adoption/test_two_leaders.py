"""A leader that was frozen wakes up and carries out what it had decided: it changes nothing."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
import pytest_asyncio

from controller.adoption.act import Actor
from controller.adoption.model import Action, Copy, Create, Mark
from controller.work_queue import Requeue
from deploy.local.cluster.control_plane import ControlPlane
from krkn_grpc.kube.access import ClusterAccess
from krkn_grpc.kube.client import ResourceClient
from krkn_grpc.kube.errors import AlreadyExists, Conflict, Invalid
from krkn_grpc.kube.informer import Informer
from krkn_grpc.kube.session import Session
from krkn_grpc.resources import kubeconfig
from krkn_grpc.resources.adopted import Adoption, Source, adopted_uuid
from krkn_grpc.resources.core import Secret
from krkn_grpc.resources.target import Target

NAME, URL = "prod", "https://127.1.2.3:6443"
UUID = adopted_uuid("acm", NAME)
BEGUN = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
REFUSED = (AlreadyExists, Conflict, Invalid, Requeue)


def answer(number: int) -> Adoption:
    source = Source(requested=BEGUN + timedelta(seconds=number), request_uid=f"uid-{number}")
    return Adoption(provider="acm", source=source)


def copy(target: Target, number: int) -> Copy:
    return Copy(target, NAME, kubeconfig.from_token(URL, f"token-{number}"), answer(number))


class Leader:
    """One of two: what it writes is real, and what it has seen may be old."""

    def __init__(self, session: Session, namespace: str) -> None:
        self.targets = ResourceClient(session, Target, namespace)
        self.secrets = ResourceClient(session, Secret, namespace)
        cache = Informer(self.targets)
        self._actor = Actor(cache, self.secrets, lambda: datetime.now(UTC))

    async def act(self, action: Action) -> None:
        await self._actor.act(action)

    async def create(self, number: int) -> Target:
        await self.act(Create(NAME, kubeconfig.from_token(URL, f"token-{number}"), answer(number)))
        return await self.target()

    async def target(self) -> Target:
        return await self.targets.get(UUID)

    async def stored(self) -> tuple[Any, Any, Any]:
        """All that the two objects say."""
        target = await self.target()
        secret = await self.secrets.get(target.spec.secret_uuid)
        return target.spec, target.metadata.annotations, secret.data


@pytest_asyncio.fixture
async def leader(control_plane: ControlPlane, namespace: str) -> AsyncIterator[Leader]:
    access = await ClusterAccess.load(control_plane.admin_kubeconfig)
    async with Session(access) as session:
        yield Leader(session, namespace)


async def test_both_create(leader: Leader) -> None:
    await leader.create(1)
    before = await leader.stored()
    with pytest.raises(REFUSED):
        await leader.create(1)
    assert await leader.stored() == before


@pytest.mark.parametrize("has_read", ["before the newer one", "after it"])
async def test_an_older_credential_is_not_put_over_a_newer_one(
    leader: Leader, has_read: str
) -> None:
    seen = await leader.create(1)
    await leader.act(copy(seen, 3))
    before = await leader.stored()
    if has_read == "after it":
        # Not even if it has seen the target as it is: its decision is from before.
        seen = await leader.target()
    with pytest.raises(REFUSED):
        await leader.act(copy(seen, 2))
    assert await leader.stored() == before


async def test_an_older_mark_is_not_put_over_a_newer_credential(leader: Leader) -> None:
    seen = await leader.create(1)
    await leader.act(copy(seen, 3))
    before = await leader.stored()
    gone = msgspec.structs.replace(answer(2), is_gone=True)
    with pytest.raises(REFUSED):
        await leader.act(Mark(seen, gone))
    assert await leader.stored() == before


async def test_both_copy_the_same(leader: Leader) -> None:
    seen = await leader.create(1)
    await leader.act(copy(seen, 2))
    before = await leader.stored()
    with pytest.raises(REFUSED):
        await leader.act(copy(seen, 2))
    assert await leader.stored() == before


async def test_a_target_that_was_deleted_and_adopted_again(leader: Leader) -> None:
    seen = await leader.create(1)
    await leader.targets.delete(UUID, uid=seen.metadata.uid)
    await leader.create(2)
    before = await leader.stored()
    with pytest.raises(REFUSED):
        await leader.act(Mark(seen, msgspec.structs.replace(answer(3), is_gone=True)))
    assert await leader.stored() == before
