"""krkn-grpc targets import and apply, against the real services and a real API server."""

import asyncio
import base64
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import yaml

from deploy.local.cluster.api import Cluster, ClusterError
from deploy.local.cluster.control_plane import ControlPlane
from tests.support import kubectl
from tests.support.command import Command
from tests.support.requests import canary, kubeconfig, unused_name, unused_url
from tests.support.waiting import eventually

SECRET = "/api/v1/namespaces/krkn/secrets/krkn-grpc"


def contexts_file(folder: Path, *names: str) -> Path:
    """A kubeconfig with a context for each name; certificates are files beside it."""
    merged = yaml.safe_load(kubeconfig(unused_url(), canary()))
    merged["contexts"], merged["clusters"], merged["users"] = [], [], []
    for name in names:
        merged["clusters"].append({"name": name, "cluster": {"server": unused_url()}})
        (folder / f"{name}.token").write_text(canary())
        merged["users"].append({"name": name, "user": {"tokenFile": f"{name}.token"}})
        merged["contexts"].append({"name": name, "context": {"cluster": name, "user": name}})
    merged["current-context"] = names[0]
    file = folder / "config"
    file.write_text(yaml.safe_dump(merged))
    return file


async def test_all_contexts_become_targets_and_again_without_harm(
    cli: Command, tmp_path: Path
) -> None:
    names = [unused_name(), unused_name()]
    file = contexts_file(tmp_path, *names)
    arguments = ("targets", "import", "--kubeconfig", str(file), "--name-prefix", "p-")
    first = await cli(*arguments, "--all-contexts", "--label", "env=test")
    assert first.code == 0, first
    assert [line.split()[:2] for line in first.out.splitlines()] == [
        [f"p-{name}", "created:"] for name in names
    ]
    again = await cli(*arguments, "--context", names[1])
    assert again.out.startswith(f"p-{names[1]} updated: https://")
    listed = await cli("targets", "get", f"p-{names[1]}", "-o", "json")
    assert (listed.json["labels"], listed.json["secretType"]) == ({"env": "test"}, "kubeconfig")
    other = await cli(*arguments[:-2], "--context", names[1])
    assert other.code == 3
    assert other.line.endswith(f"exists already: it is p-{names[1]}")
    unknown = await cli(*arguments, "--context", "none")
    assert unknown.code == 2
    assert "there is no context 'none'" in unknown.err


async def test_a_context_of_the_same_name_is_no_other_cluster(cli: Command, tmp_path: Path) -> None:
    """Each cluster that kubeadm makes has the context kubernetes-admin@kubernetes."""
    name = unused_name()
    arguments = ("targets", "import", "--kubeconfig", str(contexts_file(tmp_path, name)))
    assert (await cli(*arguments)).code == 0
    url = (await cli("targets", "get", name, "-o", "json")).json["clusterAPIURL"]
    contexts_file(tmp_path, name)
    other = await cli(*arguments)
    assert other.code == 3
    assert f"this target is another cluster, {url}: " in other.line
    assert (await cli("targets", "get", name, "-o", "json")).json["clusterAPIURL"] == url


async def test_a_file_of_targets_is_applied(cli: Command, tmp_path: Path) -> None:
    one, two = unused_name(), unused_name()
    contexts_file(tmp_path, "there")
    file = tmp_path / "targets.yaml"
    listed: list[dict[str, object]] = [
        {"name": one, "kubeconfig": "config", "labels": {"env": "prod"}, "maxConcurrentJobs": 2},
        {"name": two, "apiUrl": unused_url(), "tokenFile": "there.token"},
    ]
    file.write_text(yaml.safe_dump({"targets": listed}))
    applied = await cli("targets", "apply", "-f", str(file))
    assert [line.split()[:2] for line in applied.out.splitlines()] == [
        [one, "created:"],
        [two, "created:"],
    ]
    shown = (await cli("targets", "get", one, "-o", "json")).json
    assert (shown["labels"], shown["maxConcurrentJobs"]) == ({"env": "prod"}, 2)
    # One that cannot be applied keeps no other from it.
    listed[0]["labels"] = {"not a key": "x"}
    file.write_text(yaml.safe_dump_all(listed))
    partly = await cli("targets", "apply", "-f", str(file))
    assert (partly.code, partly.out.split()[:2]) == (3, [two, "updated:"])
    assert partly.line.startswith(f"Error: {one}: labels")
    (tmp_path / "empty").touch()
    for unusable, said in (
        ({"labels": ["x"]}, "labels: must be keys"),
        ({"maxConcurrentJobs": 10**11}, "maxConcurrentJobs: must be a whole number"),
        ({"kubeconfig": "nowhere"}, "nowhere: No such file"),
        # Without a certificate none would be verified.
        ({"kubeconfig": None, "apiUrl": "https://a", "caFile": "empty"}, "empty: is empty"),
    ):
        file.write_text(yaml.safe_dump_all([{**listed[0], "labels": {}, **unusable}, listed[1]]))
        partly = await cli("targets", "apply", "-f", str(file))
        assert (partly.code, partly.out.split()[:2]) == (3, [two, "updated:"])
        assert partly.line.startswith(f"Error: {one}: ")
        assert said in partly.line
    wrong = await cli("targets", "apply", "-f", "-", given="- {name: a, tokn: b}")
    assert (wrong.code, "a: tokn: known are name, " in wrong.err) == (2, True)


async def test_an_account_is_made_in_the_cluster(
    cli: Command, control_plane: ControlPlane, tmp_path: Path
) -> None:
    cluster, name = control_plane.cluster, unused_name()
    file = control_plane.admin_kubeconfig
    [context] = [each["name"] for each in yaml.safe_load(file.read_text())["contexts"]]
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "kubectl").symlink_to(kubectl.binary())
    with_kubectl = cli.with_environment(PATH=str(folder))
    arguments = ("targets", "import", "--kubeconfig", str(file), "--name-prefix", f"{name}-")
    async with tokens_are_filled_in(cluster):
        made = await with_kubectl(*arguments, "--create-service-account", "--role", "view")
    assert made.code == 0, made
    assert made.out.startswith(f"{name}-{context} created: {control_plane.url}")
    bound = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/krkn-grpc-view"
    assert (await cluster.request("GET", bound))["roleRef"]["name"] == "view"
    await cluster.request("DELETE", bound)
    assert (await cli("targets", "delete", f"{name}-{context}")).code == 0
    without = await cli.with_environment(PATH="")(*arguments, "--create-service-account")
    assert (without.code, "kubectl is needed" in without.err) == (3, True), without


@contextlib.asynccontextmanager
async def tokens_are_filled_in(cluster: Cluster) -> AsyncIterator[None]:
    """Do for the account's Secret what a cluster's own controller does: put a token into it."""

    async def secret() -> bool:
        try:
            await cluster.request("GET", SECRET)
        except ClusterError as error:
            if error.status != 404:
                raise
            return False
        return True

    async def fill_in() -> None:
        await eventually(secret)
        token = await cluster.token("krkn", "krkn-grpc", seconds=600)
        change = {"data": {"token": base64.b64encode(token.encode()).decode()}}
        await cluster.request("PATCH", SECRET, change, "application/merge-patch+json")

    task = asyncio.create_task(fill_in())
    try:
        yield
        await task
    finally:
        task.cancel()
        with contextlib.suppress(ClusterError):
            await cluster.request("DELETE", "/api/v1/namespaces/krkn")
