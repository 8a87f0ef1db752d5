"""A check that takes long leaves the event loop to others."""

import asyncio
import contextlib
from typing import cast

import pytest

from krkn_grpc.kube.informer import Informer
from krkn_grpc.resources.addresses import AddressRules
from krkn_grpc.resources.target import Target
from krkn_grpc.server.errors import InvalidRequest
from krkn_grpc.server.metadata import Context
from krkn_grpc.server.targets.registration import Registry
from krkn_grpc.server.targets.servicer import TargetServicer
from krkn_grpc.server.watch import Watch
from krkn_grpc.v1 import targets_pb2 as pb

LARGE = f"a: [{','.join(['a'] * 130_000)}]"


async def turns(count: list[int]) -> None:
    """Count how often others had their turn."""
    while True:
        count[0] += 1
        await asyncio.sleep(0)


@pytest.mark.parametrize("method", ["CreateTarget", "UpdateTarget"])
async def test_others_have_their_turn_while_a_large_kubeconfig_is_read(method: str) -> None:
    # Neither is asked for anything: the request is refused before.
    servicer = TargetServicer(
        cast(Registry, None),
        cast("Informer[Target]", None),
        cast("Watch[Target, pb.WatchTargetsResponse]", None),
        AddressRules(),
        1.0,
    )
    request = pb.CreateTargetRequest(cluster_name="c", secret_type="kubeconfig", kubeconfig=LARGE)
    count = [0]
    others = asyncio.create_task(turns(count))
    try:
        with pytest.raises(InvalidRequest, match="at most 10000 values"):
            await getattr(servicer, method)(request, cast(Context, None))
        assert count[0] > 0  # how many depends on the machine; in the loop there is none at all
    finally:
        others.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await others
