"""The README's section "In a cluster" tells the truth: its commands are run as they stand there."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
import trustme

from deploy.local.cluster.control_plane import ControlPlane
from deploy.local.processes.children import Child, Program
from deploy.local.processes.ports import free_port
from krkn_grpc.edge.command import command
from krkn_grpc.edge.render import CONFIG, render_files
from krkn_grpc.edge.settings import EnvoySettings
from tests.support.custom_objects import TARGETS, store
from tests.support.kubectl import Kubectl
from tests.support.readme import (
    BINDING,
    CALL,
    DEFINITIONS,
    HOST,
    INSTALLATION,
    KINDS,
    LAST,
    NAMESPACE,
    OURS,
    REMOVAL,
    UPGRADE,
    calling_curl,
)
from tests.support.running import Running, Wanted, running
from tests.support.waiting import eventually


@pytest_asyncio.fixture
async def installed(
    kubectl: Kubectl, empty_cluster: ControlPlane, tmp_path: Path
) -> AsyncIterator[Running]:
    """An installation by the README, and the processes that the pods would have."""
    authority = trustme.CA()
    certificate = authority.issue_cert(HOST)
    (tmp_path / "tls").mkdir()
    for folder in (kubectl.folder, tmp_path / "tls"):
        authority.cert_pem.write_to_path(folder / "ca.crt")
        certificate.cert_chain_pems[0].write_to_path(folder / "tls.crt")
        certificate.private_key_pem.write_to_path(folder / "tls.key")
    for block in (DEFINITIONS, INSTALLATION, BINDING):
        await kubectl.shell(block)
    wanted = Wanted(envoy=False, log_reader=True, environment={"KRKN_AUTH": "kubernetes"})
    async with running(empty_cluster.cluster, NAMESPACE, tmp_path, wanted) as started:
        yield started


@pytest_asyncio.fixture
async def edge(installed: Running, tmp_path: Path) -> AsyncIterator[int]:
    """Envoy with the certificate of the Secret; gives its port."""
    settings = EnvoySettings(
        rest_port=free_port(),
        grpc_port=installed.processes.options.grpc_port,
        tls="on",
        tls_directory=tmp_path / "tls",
        envoy_directory=tmp_path,
    )
    for name, text in render_files(settings).items():
        (tmp_path / name).write_text(text)
    envoy = Child(Program("envoy", command(tmp_path / CONFIG)), tmp_path / "edge.log")
    envoy.start()
    yield settings.rest_port
    await envoy.stop()


@pytest.mark.timeout(240)
async def test_its_commands_work_in_their_order(
    installed: Running, kubectl: Kubectl, edge: int
) -> None:
    names = await kubectl("get", "deployment,secret", "-n", NAMESPACE, "-o", "name")
    assert {"deployment.apps/krkn-grpc", "secret/krkn-grpc-tls"} <= set(names.split())

    # The name of the Service is that of our Envoy here; the rest of the command is as it stands.
    curl = calling_curl(edge)
    await store(installed.cluster, NAMESPACE, TARGETS)

    async def call() -> str:
        try:
            return await kubectl.shell(curl + CALL)
        except AssertionError as error:  # until Envoy listens, and RBAC knows of the binding
            return str(error)

    await eventually(call, lambda said: '"targets":[' in said.replace(" ", ""))

    # As to upgrade: what is there may be applied over itself.
    for block in UPGRADE:
        await kubectl.shell(block)

    await kubectl.shell(REMOVAL)
    found = await kubectl("get", KINDS, "-l", OURS, "-o", "name")
    kinds = {line.partition("/")[0].partition(".")[0] for line in found.split()}
    assert kinds == {"customresourcedefinition", "validatingadmissionpolicy"}
    await kubectl.shell(LAST)
    found = await kubectl("get", KINDS, "-l", OURS, "-o", "name")
    assert found == ""
    await kubectl("delete", "namespace", "team-a", "--wait=false")
