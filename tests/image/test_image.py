"""What `make image` builds is as it should be, and the same each time."""

import hashlib
import json
from pathlib import Path

import pytest

from deploy.image import debian, page, verify, wheels
from deploy.image.build import Built, build
from deploy.image.target import USER, this_machine
from deploy.local.processes.children import Child
from deploy.local.progress import Progress
from deploy.oci.archive import Stored
from tests.image.container import Root

pytestmark = pytest.mark.timeout(600)  # the first of them builds

LOADER = f"/{this_machine().libraries}/{this_machine().loader}"
# The image's own linker lists what each program and library needs, and where it finds it.
LIBRARIES = f"""
import pathlib, subprocess
for path in sorted(pathlib.Path("/usr").rglob("*")):
    if path.is_file() and not path.is_symlink() and path.read_bytes()[:4] == b"\\x7fELF":
        print("looked at", path, flush=True)
        if path.name != "{this_machine().loader}":
            subprocess.run(["{LOADER}", "--list", path], stderr=subprocess.STDOUT)
"""


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_nothing_is_in_it_that_may_not_be(built: Built) -> None:
    assert verify.problems(built.archive) == []


def test_it_starts_as_the_deployments_user(stored: Stored) -> None:
    told = stored.configuration["config"]
    assert told["User"] == f"{USER}:{USER}"
    assert "Entrypoint" not in told
    assert told["Labels"]["org.opencontainers.image.version"] == "0.1.0"


def test_the_bill_of_materials_has_every_package(built: Built) -> None:
    bill = json.loads(built.sbom.read_text())
    purls = {component["purl"].partition("@")[0] for component in bill["components"]}
    locked = {f"pkg:pypi/{wheels.normalised(name)}" for name in wheels.locked()}
    assert purls == (
        locked
        | {"pkg:pypi/krkn-grpc"}
        | {f"pkg:npm/{package.name.replace('@', '%40')}" for package in page.packages()}
        | {f"pkg:deb/debian/{name}" for name in debian.names()}
    ) - {"pkg:deb/debian/libstdc++6"} | {"pkg:deb/debian/libstdc%2B%2B6"}
    assert bill["metadata"]["component"]["hashes"][0]["content"] == built.digest.split(":")[1]


def test_the_page_is_in_it_with_its_licenses(stored: Stored) -> None:
    found = verify.contents(stored.tars)
    assert f"{page.FOLDER}/index.html" in found
    licenses = found[f"{page.FOLDER}/{page.LICENSES}"].content
    assert licenses is not None
    texts = licenses.decode()
    for package in page.packages():
        assert f"{package.name} {package.version}: " in texts
    assert "Meta Platforms" in texts


async def test_every_library_that_a_program_needs_is_there(root: Root, tmp_path: Path) -> None:
    child = Child(root.program("libraries", ["python", "-c", LIBRARIES], {}, {}), tmp_path / "log")
    child.start()
    assert await child.wait() == 0, child.log_tail()
    listed = child.log.read_text().splitlines()
    assert len([line for line in listed if line.startswith("looked at ")]) > 50
    assert [line for line in listed if "not found" in line] == []


def test_two_builds_give_one_file(built: Built, tmp_path: Path) -> None:
    again = build(this_machine(), tmp_path / "dist", Progress(), cache=tmp_path / "cache")
    assert again.digest == built.digest
    assert digest(again.archive) == digest(built.archive)
    assert digest(again.sbom) == digest(built.sbom)
