"""Our own cluster's certificate is taken as kubectl takes it, with every Python that there is."""

import asyncio
import glob
import os
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from deploy.local.cluster import kubeconfig
from deploy.local.cluster.credentials import of_kubeconfig
from deploy.local.services import REPOSITORY
from krkn_grpc.kube.access import ClusterAccess
from tests.integration.probe.servers import Authority, answer, says, server_context, serving

AUTHORITY = Authority("an authority whose key no certificate names")
CERTIFICATE = AUTHORITY.issue("cluster.example", "127.0.0.1")


def interpreters() -> list[str]:
    """This Python, and whatever others this machine has."""
    folders = [*os.environ["PATH"].split(os.pathsep), str(Path.home() / ".pyenv/versions/*/bin")]
    found = {}
    for folder in folders:
        for path in glob.glob(f"{folder}/python3.1[1-9]"):
            ask = [path, "-c", "import sys; print(*sys.version_info[:2], sep='.')"]
            said = subprocess.run(ask, capture_output=True, text=True, check=False)
            if said.returncode == 0:
                found[said.stdout.strip()] = path
    return [sys.executable, *found.values()]


@pytest_asyncio.fixture
async def port() -> AsyncIterator[int]:
    async with serving(says(answer(200)), server_context(CERTIFICATE)) as server:
        yield server.port


@pytest.fixture
def strict_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make contexts as Python 3.13 and later make them."""
    make = ssl.create_default_context

    def strict(*args: object, **options: object) -> ssl.SSLContext:
        context = make(*args, **options)  # type: ignore[arg-type]  # passed on as they are
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN | ssl.VERIFY_X509_STRICT
        return context

    monkeypatch.setattr(ssl, "create_default_context", strict)


async def shakes_hands(port: int, context: ssl.SSLContext | bool) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    except ssl.SSLCertVerificationError:
        return False
    writer.close()
    return True


def a_kubeconfig(folder: Path, port: int, authority: str = AUTHORITY.pem) -> Path:
    url = f"https://127.0.0.1:{port}"
    return kubeconfig.write(folder / "a", url=url, ca_pem=authority, user={"token": "a"})


@pytest.mark.usefixtures("strict_by_default")
async def test_no_authority_key_identifier_is_asked_for(port: int, tmp_path: Path) -> None:
    path = a_kubeconfig(tmp_path, port)
    assert not await shakes_hands(port, ssl.create_default_context(cadata=AUTHORITY.pem))
    assert await shakes_hands(port, (await ClusterAccess.load(path)).tls())
    assert await shakes_hands(port, (await of_kubeconfig(path, tmp_path)).tls)


async def test_another_authoritys_certificate_is_refused(port: int, tmp_path: Path) -> None:
    path = a_kubeconfig(tmp_path, port, Authority("another").pem)
    assert not await shakes_hands(port, (await ClusterAccess.load(path)).tls())
    assert not await shakes_hands(port, (await of_kubeconfig(path, tmp_path)).tls)


@pytest.mark.parametrize("python", interpreters())
async def test_with_each_python(port: int, tmp_path: Path, python: str) -> None:
    authority = tmp_path / "ca.crt"
    authority.write_text(AUTHORITY.pem)
    program = f"""
import socket, sys
sys.path.insert(0, {str(REPOSITORY)!r})
from krkn_grpc.tls import cluster_context
context = cluster_context(ca_file={str(authority)!r})
with socket.create_connection(("127.0.0.1", {port})) as plain:
    context.wrap_socket(plain, server_hostname="127.0.0.1").close()
"""
    process = await asyncio.create_subprocess_exec(
        *(python, "-c", program), stderr=asyncio.subprocess.PIPE
    )
    _, said = await process.communicate()
    assert process.returncode == 0, said.decode()
