"""Where files may be placed: where krkn's scenarios want them, and not over an image's programs."""

from pathlib import Path

import pytest
import yaml

from krkn_grpc.resources import mounts

KRKN = yaml.safe_load(Path(__file__).with_name("krkn_variables.yaml").read_text())


@pytest.mark.parametrize(
    "path",
    [
        *KRKN["files"].values(),
        "/home/krkn/kraken/scenarios/my scenario.yaml",
        "/mnt/a/b",
    ],
)
def test_by_default_krkns_files_have_their_places(path: str) -> None:
    assert mounts.is_allowed(path, mounts.DEFAULT)


@pytest.mark.parametrize(
    "path",
    [
        "/home/krkn/env.sh",
        "/home/krkn/main_env.sh",
        "/home/krkn/run.sh",
        "/home/krkn/.bashrc",
        "/home/krkn/.kube/config",
        "/home/krkn/kraken/run_kraken.py",
        "/home/krkn/kraken/config/config.yaml",
        "/home/krkn/.local/lib/python3.11/site-packages/a.pth",
        "/usr/bin/python3",
        "/etc/ld.so.preload",
        "/etc/profile.d/a.sh",
        "/lib64/libc.so.6",
        "/home/krkn/kraken/scenarios",
        "/home/krkn/kraken/scenarios/../run_kraken.py",
        "/mnt",
        "/mnt/",
        "//mnt/a",
    ],
)
def test_by_default_nothing_is_placed_over_an_images_own(path: str) -> None:
    assert not mounts.is_allowed(path, mounts.DEFAULT)


def test_the_kubeconfig_has_a_place_of_its_own_whatever_is_allowed() -> None:
    assert mounts.is_allowed_for_kubeconfig("/home/krkn/.kube/config", ())
    assert not mounts.is_allowed_for_kubeconfig("/home/krkn/env.sh", mounts.DEFAULT)


def test_all_may_be_allowed() -> None:
    assert mounts.is_allowed("/any/where", mounts.read("/"))


@pytest.mark.parametrize("text", ["", " , ", "/", "/a/", "/a/b", "/a b/,/c"])
def test_a_list(text: str) -> None:
    assert mounts.read(text) == tuple(filter(None, (part.strip() for part in text.split(","))))


@pytest.mark.parametrize("entry", ["a", "*", "/a/../b", "//a", "/a//", "a/", "/a:b", "/tmp"])
def test_no_list(entry: str) -> None:
    with pytest.raises(ValueError, match="is not an absolute path"):
        mounts.read(f"/mnt/,{entry}")
