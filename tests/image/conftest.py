"""The image, built once for all tests of this folder, and its files as a container has them.

`make e2e` runs them: a container's root needs root here. Layers whose inputs are the same come from
the cache, so most runs build only the layer of our own code.
"""

import io
import os
import tarfile
from pathlib import Path

import pytest

from deploy.image.build import Built, build
from deploy.image.target import DIST, this_machine
from deploy.local.progress import Progress
from deploy.oci.archive import Stored, read
from tests.image.container import MOUNT_POINTS, Root


@pytest.fixture(scope="session")
def built() -> Built:
    """The image and its bill of materials."""
    if os.geteuid() != 0:
        pytest.fail("only root may start containers: run `make e2e` as root")
    return build(this_machine(), DIST, Progress())


@pytest.fixture(scope="session")
def stored(built: Built) -> Stored:
    """What a container runtime reads in the image."""
    return read(built.archive)


@pytest.fixture(scope="session")
def root(stored: Stored, tmp_path_factory: pytest.TempPathFactory) -> Root:
    """The image's files, unpacked; with folders to mount on, which a runtime makes too."""
    folder = tmp_path_factory.mktemp("root")
    for tar in stored.tars:
        with tarfile.open(fileobj=io.BytesIO(tar)) as archive:
            archive.extractall(folder, filter="fully_trusted")
    folder.chmod(0o755)
    for point in MOUNT_POINTS:
        (folder / point.lstrip("/")).mkdir(parents=True, exist_ok=True)
    environment: list[str] = stored.configuration["config"]["Env"]
    return Root(folder, environment)


@pytest.fixture
def mounted(tmp_path: Path) -> Path:
    """A folder that a container's user may write, as an emptyDir."""
    folder = tmp_path / "mounted"
    folder.mkdir()
    os.chown(folder, 1001, 1001)
    return folder
