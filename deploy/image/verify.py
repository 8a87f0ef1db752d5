"""Checks what an image has, from its archive alone: `python -m deploy.image verify`."""

import io
import re
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from deploy.image import debian, wheels
from deploy.image.target import PYTHON, SITE, USER
from deploy.oci.archive import Stored, read

MAX_BYTES = 80 * 2**20
PROGRAMS = {f"usr/bin/python{PYTHON}", f"{SITE}/envoy/_bin/envoy"}
"""All that can be run, besides shared libraries."""
LABELS = ("title", "version", "revision", "licenses", "created")
_FORBIDDEN = re.compile(
    rf".*/(ba|da|a|z|k)?sh|.*/(busybox|apt|apt-get|dpkg|dpkg-deb|perl|curl|wget)"
    rf"|({SITE}|usr/lib/python{re.escape(PYTHON)})/(pip|ensurepip|setuptools|wheel)/.*"
)
_LIBRARY = re.compile(r".*\.so(\.[\d.]+)?")
# Writable by its group or by everybody, or run with the rights of its owner.
_WRITABLE, _SETUID = 0o022, 0o6000
_UNCHECKED_HASH = b"\x01\x00\x00\x00"


@dataclass(frozen=True)
class File:
    """A file, folder or link of an image."""

    mode: int
    owner: tuple[int, int]
    content: bytes | None
    """None for a folder or a link."""
    link: str = ""


def problems(archive: Path) -> list[str]:
    """Return what is not as it should be, a sentence each."""
    stored = read(archive)
    size = archive.stat().st_size
    found = contents(stored.tars)
    return [
        *([f"it has {size} bytes, and may have {MAX_BYTES}"] if size > MAX_BYTES else []),
        *of_configuration(stored),
        *of_files(found),
        *of_code(found),
        *of_packages(found),
    ]


def contents(tars: list[bytes]) -> dict[str, File]:
    """Return the files of an image by their paths, from its layers."""
    found: dict[str, File] = {}
    for tar in tars:
        with tarfile.open(fileobj=io.BytesIO(tar)) as archive:
            for member in archive:
                file = archive.extractfile(member) if member.isfile() else None
                found[member.name] = File(
                    member.mode,
                    (member.uid, member.gid),
                    None if file is None else file.read(),
                    member.linkname if member.issym() else "",
                )
    return found


def of_configuration(stored: Stored) -> Iterator[str]:
    """Check user and labels."""
    told = stored.configuration["config"]
    if told.get("User") != f"{USER}:{USER}":
        yield f"its user is {told.get('User')}"
    for label in LABELS:
        if not told.get("Labels", {}).get(f"org.opencontainers.image.{label}"):
            yield f"it has no label {label}"


def of_files(found: Mapping[str, File]) -> Iterator[str]:
    """Check owners, modes and programs."""
    for path, file in found.items():
        is_folder = file.content is None and not file.link
        if _FORBIDDEN.fullmatch(path) and not is_folder:
            yield f"{path} may not be in it"
        if file.owner != (0, 0):
            yield f"{path} is not root's"
        if file.mode & _SETUID or (file.mode & _WRITABLE and not file.link):
            yield f"{path} has the mode {file.mode:o}"
        is_program = file.content is not None and file.mode & 0o111
        if is_program and path not in PROGRAMS and not _LIBRARY.fullmatch(path):
            yield f"{path} can be run"
    yield from (f"{program} is missing" for program in sorted(PROGRAMS - found.keys()))


def of_code(found: Mapping[str, File]) -> Iterator[str]:
    """Check that all code is compiled, for good."""
    for path in found:
        if not path.endswith(".py"):
            continue
        source = PurePosixPath(path)
        name = f"{source.stem}.cpython-{PYTHON.replace('.', '')}.pyc"
        compiled = found.get(str(source.parent / "__pycache__" / name))
        if compiled is None or (compiled.content or b"")[4:8] != _UNCHECKED_HASH:
            yield f"{path} is not compiled"


def of_packages(found: Mapping[str, File]) -> Iterator[str]:
    """Check that the packages are those of the lock and of the list of Debian's."""
    listed = set(debian.names())
    status = "var/lib/dpkg/status.d/"
    unpacked = {path.removeprefix(status) for path in found if path.startswith(status)}
    yield from (f"Debian's {name} is not as listed" for name in sorted(listed ^ unpacked))

    site = re.compile(rf"{SITE}/(.+)-([^-]+)\.dist-info/METADATA")
    matches = filter(None, map(site.fullmatch, found))
    installed = {(wheels.normalised(match[1]), match[2]) for match in matches}
    locked = {(wheels.normalised(name), version) for name, version in wheels.locked().items()}
    own = {package for package in installed if package[0] == "krkn-grpc"}
    if not own:
        yield "krkn-grpc is not in it"
    for name, version in sorted((installed - own) ^ locked):
        yield f"{name} {version} is not as in the lock"
