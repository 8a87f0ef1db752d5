"""Why the kubeconfig of our own cluster cannot be used: one line, whatever it holds."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from deploy.local.cluster.credentials import of_kubeconfig
from deploy.local.errors import StartError
from deploy.local.services import REPOSITORY
from krkn_grpc.kube.access import ClusterAccess
from krkn_grpc.kube.kubeconfig_fault import Unusable

TOKEN = "a-token-for-nobody-else"


def config(**cluster: str) -> str:
    return yaml.safe_dump(
        {
            "current-context": "here",
            "contexts": [{"name": "here", "context": {"cluster": "ours", "user": "us"}}],
            "clusters": [{"name": "ours", "cluster": {"server": "https://127.0.0.1:1"} | cluster}],
            "users": [{"name": "us", "user": {"token": TOKEN}}],
        }
    )


FAULTS = {
    "empty": ("", "is empty"),
    "blank": ("\n \n", "is empty"),
    "cut": ("apiVersion: v1\nfoo: [", "is not YAML (line 2)"),
    "a tab": (f"token: {TOKEN}\n\t- x", "is not YAML (line 2)"),
    "bytes": ("\udcff\udcfe", "not UTF-8"),
    "text": ("kubeconfig", "is not a kubeconfig"),
    "a list": ("[1, 2]", "is not a kubeconfig"),
    "nothing in it": ("kind: Config", "Expected key current-context"),
    "no context": ("current-context: x\ncontexts: []", "Expected object with name x"),
    "no Base64": (config(**{"certificate-authority-data": "abcde"}), "cannot be read"),
    "no certificate": (config(**{"certificate-authority-data": "bm8="}), "cannot be used"),
    "no CA's file": (config(**{"certificate-authority": "/no/such.pem"}), "/no/such.pem"),
}


@pytest.fixture(params=FAULTS.values(), ids=[*FAULTS])
def faulty(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, str]:
    """A kubeconfig, and what is said of it."""
    text, says = request.param
    path = tmp_path / "config"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    return path, says


async def test_each_fault_is_one_line(faulty: tuple[Path, str]) -> None:
    path, says = faulty
    with pytest.raises(Unusable) as raised:
        await ClusterAccess.load(path)
    check(str(raised.value), path, says)


async def test_make_run_says_the_same(faulty: tuple[Path, str], tmp_path: Path) -> None:
    path, says = faulty
    with pytest.raises(StartError) as raised:
        await of_kubeconfig(path, tmp_path)
    check(str(raised.value), path, says)


def check(text: str, path: Path, says: str) -> None:
    assert text.startswith(f"KRKN_KUBECONFIG={path}: ")
    assert says in text
    assert "\n" not in text
    assert TOKEN not in text


async def test_a_kubeconfig_that_can_be_used(tmp_path: Path) -> None:
    (tmp_path / "config").write_text(config())
    assert (await ClusterAccess.load(tmp_path / "config")).url == "https://127.0.0.1:1"


@pytest.mark.parametrize("program", ["krkn_grpc.server", "controller"])
@pytest.mark.parametrize("named", [True, False])
def test_a_process_ends_with_the_line(program: str, named: bool, tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.touch()
    done = subprocess.run(
        [sys.executable, "-m", program],
        cwd=REPOSITORY,
        env={"KRKN_AUTH": "none", **({"KRKN_KUBECONFIG": str(path)} if named else {})},
        capture_output=True,
        text=True,
        check=False,
    )
    name = program.rpartition(".")[2]
    says = f"KRKN_KUBECONFIG={path}: is empty" if named else "KRKN_KUBECONFIG is not set, and this"
    assert done.returncode == 1
    assert done.stderr.startswith(f"krkn-grpc {name}: {says}")
    assert len(done.stderr.splitlines()) == 1
