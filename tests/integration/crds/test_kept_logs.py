"""The CRD of kept logs: what it takes, and that nothing of it changes."""

import msgspec
import pytest

from deploy.local.cluster.control_plane import ControlPlane
from krkn_grpc.resources.kept_log import KeptLog
from krkn_grpc.resources.meta import API_VERSION
from tests.support.custom_objects import (
    GONE,
    LOGS,
    assert_refused,
    collection,
    schemas,
    store,
    whole,
)


async def test_the_typed_resource_reads_and_writes_all_of_it(
    control_plane: ControlPlane, namespace: str
) -> None:
    manifest = whole(LOGS)
    assert manifest["spec"].keys() == schemas(LOGS)["spec"]["properties"].keys()
    encoded = msgspec.to_builtins(msgspec.convert(manifest, KeptLog))
    encoded |= {"apiVersion": API_VERSION, "kind": manifest["kind"]}
    path = collection(LOGS, namespace)
    created = await control_plane.cluster.request("POST", path, encoded)
    assert created["spec"] == manifest["spec"]


@pytest.mark.parametrize("field", ["content", "truncated", "size", "podUID", "jobUID"])
async def test_it_does_not_change(control_plane: ControlPlane, namespace: str, field: str) -> None:
    kept = await store(control_plane.cluster, namespace, LOGS)
    others = {"content": "AAAA", "truncated": False, "size": 13}
    change = {"spec": {field: others.get(field, "another")}}
    await assert_refused(kept.merge(change), "a kept log does not change")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        pytest.param({"content": "no base64"}, "spec.content", id="no base64"),
        pytest.param({"content": "AAAA" * 300_000}, "Too long", id="more than a MiB"),
        pytest.param({"podUID": GONE}, "Required", id="of no pod"),
        pytest.param({"size": -1}, "greater than or equal to 0", id="a size below 0"),
    ],
)
async def test_what_is_refused(
    control_plane: ControlPlane, namespace: str, changes: dict[str, object], message: str
) -> None:
    await assert_refused(store(control_plane.cluster, namespace, LOGS, **changes), message)
