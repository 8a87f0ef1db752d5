"""What is no id names no target, wherever it might be found."""

import uuid

import pytest

from deploy.local.cluster.control_plane import ControlPlane
from krkn_grpc.kube.access import ClusterAccess
from krkn_grpc.kube.client import Change, ResourceClient
from krkn_grpc.kube.informer import Informer
from krkn_grpc.kube.session import Session
from krkn_grpc.resources.core import Lease, Secret
from krkn_grpc.resources.target import Target
from krkn_grpc.server.errors import NoSuch
from krkn_grpc.server.targets.registration import Registry
from tests.unit.controller.targets.builders import ATarget

NAMES = [str(uuid.uuid4()), str(uuid.uuid4()).upper(), "x", "../x", "a/b"]


async def test_what_is_no_id_is_not_looked_for_in_the_cache(control_plane: ControlPlane) -> None:
    async with Session(await ClusterAccess.load(control_plane.admin_kubeconfig)) as session:
        cache = Informer(ResourceClient(session, Target, "default"))
        registry = Registry(
            cache,
            ResourceClient(session, Lease, "default"),
            ResourceClient(session, Secret, "default"),
            session.time.now,
        )
        known, *others = [ATarget(uuid=name).admitted().built() for name in NAMES]
        for revision, target in enumerate((known, *others), start=1):
            cache.apply(Change("ADDED", target, revision))
        assert await registry.get(known.metadata.name) == known
        for target in others:
            with pytest.raises(NoSuch):
                await registry.get(target.metadata.name)
