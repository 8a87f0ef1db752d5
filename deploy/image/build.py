"""Builds the image: three layers, each from its own inputs, and its software bill of materials.

Layers are kept in the cache by a digest of their inputs, so a build after a change of our own code
takes seconds.
"""

import contextlib
import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from deploy.image import bytecode, debian, page, project, rootfs, sbom, verify, wheels
from deploy.image.target import PYTHON, REPOSITORY, SITE, USER, Target, this_machine
from deploy.image.wheels import PythonPackage
from deploy.local.cache import cache_folder, only_one
from deploy.local.errors import StartError
from deploy.local.progress import Progress
from deploy.oci.archive import Image, write
from deploy.oci.layers import Layer, of_folder

NAME = "docker.io/library/krkn-grpc:latest"
"""What deploy/base names `krkn-grpc:latest`."""
ENVIRONMENT = {
    "PATH": "/usr/bin",
    "HOME": "/home/krkn",
    "LANG": "C.UTF-8",
    # Code comes from the image only, not from the folder that a process happens to start in.
    "PYTHONSAFEPATH": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
}
_KEPT_LAYERS = 8
_ELF = b"\x7fELF"


@dataclass(frozen=True)
class Built:
    """What a build wrote."""

    archive: Path
    sbom: Path
    digest: str
    """Of the manifest: what a registry calls the image by."""


def build(
    target: Target,
    folder: Path,
    progress: Progress,
    *,
    name: str = NAME,
    cache: Path | None = None,
) -> Built:
    """Build, verify and write the image; raises StartError if it cannot be built as it should.

    `cache` holds finished layers; by default all clones of the project on this machine share one.
    """
    if shutil.which("dpkg-deb") is None:
        raise StartError("the image is made of Debian's packages, and there is no dpkg-deb")
    layers = (cache or cache_folder() / "image") / "layers"
    layers.mkdir(parents=True, exist_ok=True)
    waiting = "waiting for another build of the image"
    with only_one("image", lambda: progress.note(waiting)), _folder() as interpreter:
        return _build(_Builder(target, layers, interpreter, progress), folder, name)


class _Builder:
    """Makes the layers."""

    def __init__(self, target: Target, cache: Path, interpreter: Path, progress: Progress) -> None:
        self.target = target
        self._cache = cache
        self._progress = progress
        self.packages = debian.fetch(target, progress)
        # Bytecode is the same for all processors, and this machine runs only its own programs.
        own = this_machine()
        self._interpreter = interpreter
        rootfs.unpack(self.packages if own == target else debian.fetch(own, progress), interpreter)

    def layers(self) -> tuple[list[Layer], list[PythonPackage]]:
        """Return the layers, the lowest first, and the Python packages that are in them."""
        system = [package.sha256 for package in self.packages]
        lowest, _ = self._cached([*system, "system"], self._system)
        inputs = [wheels.LOCK.read_text(), self.target.architecture, *system]
        middle, installed = self._cached([*inputs, "wheels"], self._wheels)
        with _folder() as root:
            project.install(root)
            page.install(root, self._progress)
            bytecode.compile_in(root / SITE, root, self._interpreter)
            return [lowest, middle, _layer(root)], [
                *installed,
                *wheels.installed_in(root / SITE),
            ]

    def _system(self) -> tuple[Layer, list[PythonPackage]]:
        with _folder() as root:
            rootfs.unpack(self.packages, root)
            bytecode.compile_in(root / f"usr/lib/python{PYTHON}", root, self._interpreter)
            return _layer(root), []

    def _wheels(self) -> tuple[Layer, list[PythonPackage]]:
        self._progress.note("image: installing the locked wheels")
        with _folder() as root:
            installed = wheels.install(self.target, root)
            bytecode.compile_in(root / SITE, root, self._interpreter)
            return _layer(root), installed

    def _cached(
        self, inputs: list[str], make: Callable[[], tuple[Layer, list[PythonPackage]]]
    ) -> tuple[Layer, list[PythonPackage]]:
        kept = self._cache / _digest([*inputs, *_sources()])
        if not (kept / "layer.json").exists():
            shutil.rmtree(kept, ignore_errors=True)
            kept.mkdir()
            layer, packages = make()
            (kept / "layer").write_bytes(layer.content)
            told = {"type": layer.media_type, "diff_id": layer.diff_id}
            told_packages = [asdict(package) for package in packages]
            (kept / "layer.json").write_text(json.dumps([told, told_packages]))
            _forget_old(self._cache)
        told, told_packages = json.loads((kept / "layer.json").read_text())
        layer = Layer((kept / "layer").read_bytes(), told["type"], told["diff_id"])
        return layer, [PythonPackage(**package) for package in told_packages]


def _build(builder: _Builder, folder: Path, name: str) -> Built:
    commit = project.commit()
    layers, python = builder.layers()
    (own,) = (package for package in python if package.name == "krkn-grpc")
    image = Image(
        name,
        tuple(layers),
        # For the metric krkn_build_info; the version is in the package.
        environment=ENVIRONMENT | {"KRKN_BUILD_REVISION": commit.revision},
        labels={
            "org.opencontainers.image.title": "krkn-grpc",
            "org.opencontainers.image.version": own.version,
            "org.opencontainers.image.revision": commit.revision,
            "org.opencontainers.image.licenses": own.license,
            "org.opencontainers.image.created": commit.created,
        },
        user=f"{USER}:{USER}",
        architecture=builder.target.architecture,
        created=commit.created,
    )
    folder.mkdir(parents=True, exist_ok=True)
    archive = folder / f"{builder.target.file_name}.oci.tar"
    unverified = archive.with_suffix(".unverified")
    (digest,) = write(unverified, [image])
    problems = verify.problems(unverified)
    if problems:
        raise StartError("\n".join([f"{unverified} is not as it should be:", *problems]))
    unverified.rename(archive)
    bill = folder / f"{builder.target.file_name}.cdx.json"
    bill.write_text(sbom.document(image, digest, builder.packages, python, page.packages(), commit))
    return Built(archive, bill, digest)


def _layer(root: Path) -> Layer:
    """Return a layer in which only binaries can be run: there is no shell to run a script."""
    for path in root.rglob("*"):
        if path.is_file() and not path.is_symlink() and path.stat().st_mode & 0o111:
            with path.open("rb") as file:
                is_binary = file.read(len(_ELF)) == _ELF
            path.chmod(0o755 if is_binary else 0o644)
    return of_folder(root)


def _digest(inputs: list[str]) -> str:
    return hashlib.sha256(json.dumps(inputs).encode()).hexdigest()[:32]


def _sources() -> list[str]:
    """Return the code that makes layers: it is one of their inputs."""
    folders = (REPOSITORY / "deploy" / "image", REPOSITORY / "deploy" / "oci")
    return [path.read_text() for folder in folders for path in sorted(folder.glob("*.py"))]


def _forget_old(cache: Path) -> None:
    kept = sorted(cache.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in kept[_KEPT_LAYERS:]:
        shutil.rmtree(path)


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="krkn-grpc-image-") as folder:
        yield Path(folder)
