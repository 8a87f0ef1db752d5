"""Targets by the client: registered from tokens and kubeconfigs, selected, waited for."""

import base64
from pathlib import Path

import pytest
import yaml

from deploy.local.cluster.control_plane import ControlPlane
from krkn_grpc.client import (
    AlreadyExists,
    BadKubeconfig,
    BearerToken,
    ChangeType,
    FailedPrecondition,
    InvalidArgument,
    Krkn,
    Kubeconfig,
    NotFound,
    NotReady,
    SecretType,
)
from tests.support.requests import canary, kubeconfig, unused_name, unused_url

ABSENT = "00000000-0000-4000-8000-000000000000"


def a_token() -> BearerToken:
    return BearerToken(unused_url(), canary())


async def test_a_real_cluster_becomes_ready(krkn: Krkn, target_cluster: ControlPlane) -> None:
    credential = Kubeconfig.read(target_cluster.admin_kubeconfig)
    name = unused_name()
    target = await krkn.targets.register(name, credential, labels={"env": name})
    try:
        assert (target.cluster_name, target.secret_type) == (name, SecretType.KUBECONFIG)
        [ready] = await krkn.targets.wait_ready([target])
        assert (ready.uuid, ready.ready) == (target.uuid, True)
        assert ready.ready_since is not None
        assert ready.created_at is not None
        assert ready.created_at.tzinfo is not None
        assert [each.uuid for each in await krkn.targets.select(f"env={name}")] == [target.uuid]
        assert await krkn.targets.select(f"env={name}", ready=False) == []
    finally:
        await krkn.targets.delete(target.uuid)
    with pytest.raises(NotFound):
        await krkn.targets.get(target.uuid)


async def test_one_that_does_not_become_ready_says_why(krkn: Krkn) -> None:
    target = await krkn.targets.register(unused_name(), a_token())
    with pytest.raises(NotReady, match=target.cluster_name):
        await krkn.targets.wait_ready([target], timeout=0.5)


async def test_the_other_target_is_named(krkn: Krkn) -> None:
    name, credential = unused_name(), a_token()
    first = await krkn.targets.register(name, credential)
    with pytest.raises(AlreadyExists) as by_name:
        await krkn.targets.register(name, a_token())
    assert by_name.value.existing == first.uuid
    spelt = BearerToken(f"{credential.api_url.replace('https', 'HTTPS')}/", canary())
    with pytest.raises(AlreadyExists) as by_url:
        await krkn.targets.register(unused_name(), spelt)
    assert by_url.value.existing == first.uuid
    assert by_url.value.reason == "ALREADY_EXISTS"


async def test_what_is_invalid_is_named_by_field(krkn: Krkn) -> None:
    with pytest.raises(InvalidArgument) as refused:
        await krkn.targets.register("", BearerToken("http://a", ""))
    fields = {each.field for each in refused.value.fields}
    assert fields == {"clusterName", "token"}
    assert refused.value.reason == "INVALID_REQUEST"
    assert isinstance(refused.value, InvalidArgument)
    assert not isinstance(refused.value, FailedPrecondition)


async def test_a_patch_changes_what_is_given(krkn: Krkn) -> None:
    target = await krkn.targets.register(unused_name(), a_token(), labels={"a": "1", "b": "2"})
    name = unused_name()
    changed = await krkn.targets.patch(
        target.uuid, cluster_name=name, labels={"c": "3"}, remove_labels=["a"]
    )
    assert (changed.cluster_name, changed.labels) == (name, {"b": "2", "c": "3"})
    replaced = await krkn.targets.update(target.uuid, name, a_token(), max_concurrent_jobs=4)
    assert (replaced.uuid, replaced.max_concurrent_jobs) == (target.uuid, 4)


async def test_all_contexts_of_a_kubeconfig(krkn: Krkn, tmp_path: Path) -> None:
    """Files are read in, a command is refused, and what exists already is that target."""
    (tmp_path / "token").write_text(f"{canary()}\n")
    prefix = unused_name()
    config = yaml.safe_load(kubeconfig(unused_url(), canary()))
    cluster = config["clusters"][0]["cluster"]
    config["clusters"] += [
        {"name": "d", "cluster": {**cluster, "server": unused_url()}},
        {"name": "e", "cluster": {**cluster, "server": unused_url()}},
    ]
    config["users"] += [
        {"name": "by-file", "user": {"tokenFile": "token"}},
        {"name": "by-command", "user": {"exec": {"command": "aws"}}},
    ]
    config["contexts"] += [
        {"name": "file", "context": {"cluster": "d", "user": "by-file"}},
        {"name": "command", "context": {"cluster": "e", "user": "by-command"}},
    ]
    file = tmp_path / "config"
    file.write_text(yaml.safe_dump(config))

    only, by_file, by_command = await krkn.targets.import_kubeconfig(
        file, name_prefix=f"{prefix}-", labels={"import": prefix}
    )
    assert (only.context, only.is_new, only.error) == ("only", True, None)
    assert by_file.target is not None
    assert by_file.target.cluster_name == f"{prefix}-file"
    assert by_command.target is None
    assert isinstance(by_command.error, BadKubeconfig)
    assert "create token" in str(by_command.error)
    imported = {each.uuid for each in await krkn.targets.select(f"import={prefix}")}
    assert only.target is not None
    assert imported == {only.target.uuid, by_file.target.uuid}

    [again] = await krkn.targets.import_kubeconfig(
        file, contexts=["file"], name_prefix=f"{prefix}-"
    )
    assert again.target is not None
    assert (again.target.uuid, again.is_new) == (by_file.target.uuid, False)


async def test_pages_are_read_to_the_end(krkn: Krkn) -> None:
    """The service's own page is larger than this test: the iterator asks on all the same."""
    name = unused_name()
    made = [
        await krkn.targets.register(f"{name}-{each}", a_token(), labels={"page": name})
        for each in range(3)
    ]
    listed = [each.uuid async for each in krkn.targets.list(selector=f"page={name}")]
    assert listed == [each.uuid for each in reversed(made)]


async def test_a_watch_tells_changes(krkn: Krkn) -> None:
    name = unused_name()
    target = await krkn.targets.register(name, a_token(), labels={"watch": name})
    watch = krkn.targets.watch(selector=f"watch={name}")
    change = await anext(watch)
    assert (change.type, change.object.uuid) == (ChangeType.ADDED, target.uuid)
    await krkn.targets.patch(target.uuid, labels={"more": "1"})
    while "more" not in change.object.labels:
        change = await anext(watch)
        assert change.type is ChangeType.MODIFIED
    await krkn.targets.delete(target.uuid)
    while change.type is not ChangeType.DELETED:
        change = await anext(watch)
    assert change.object.uuid == target.uuid


async def test_a_certificate_file_is_embedded(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("PEM")
    config = yaml.safe_load(kubeconfig(unused_url(), canary()))
    config["clusters"][0]["cluster"]["certificate-authority"] = "ca.pem"
    file = tmp_path / "config"
    file.write_text(yaml.safe_dump(config))
    [cluster] = yaml.safe_load(Kubeconfig.read(file).text)["clusters"]
    assert base64.b64decode(cluster["cluster"]["certificate-authority-data"]) == b"PEM"
    assert "certificate-authority" not in cluster["cluster"]


async def test_a_context_of_the_same_name_is_no_other_cluster(krkn: Krkn, tmp_path: Path) -> None:
    """A run on what was imported must not be one on somebody else's cluster."""
    text, prefix = kubeconfig(unused_url(), canary()), unused_name()
    [context] = [each["name"] for each in yaml.safe_load(text)["contexts"]]
    await krkn.targets.register(prefix + context, a_token())
    file = tmp_path / "config"
    file.write_text(text)
    [imported] = await krkn.targets.import_kubeconfig(file, name_prefix=prefix)
    assert (imported.target, imported.is_new) == (None, False)
    assert isinstance(imported.error, AlreadyExists)
