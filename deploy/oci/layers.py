"""The layers of an image: the same content gives the same bytes, on any machine and at any time."""

import hashlib
import io
import stat
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import zstandard

from deploy.oci.media import LAYER

# Higher levels save 1 % for twice the time.
_LEVEL = 9


@dataclass(frozen=True)
class Layer:
    """A layer as it is stored."""

    content: bytes
    media_type: str
    diff_id: str
    """The digest of its tar, not compressed: `sha256:...`."""


def of_programs(programs: Mapping[str, bytes], links: Mapping[str, str] | None = None) -> Layer:
    """Return a layer of programs and symbolic links, by their paths in the image."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path, content in sorted(programs.items()):
            member = tarfile.TarInfo(path.lstrip("/"))
            member.mode, member.size = 0o755, len(content)
            archive.addfile(member, io.BytesIO(content))
        for path, target in sorted((links or {}).items()):
            member = tarfile.TarInfo(path.lstrip("/"))
            member.type, member.linkname = tarfile.SYMTYPE, target
            archive.addfile(member)
    tar = buffer.getvalue()
    return Layer(tar, LAYER, digest(tar))


def of_folder(folder: Path) -> Layer:
    """Return a compressed layer with all that a folder has.

    Everything belongs to root and nobody else may write it; times and the folder's own owners are
    not kept, because they differ between two builds.
    """
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path in sorted(folder.rglob("*")):
            _add(archive, path, str(path.relative_to(folder)))
    tar = buffer.getvalue()
    return Layer(zstandard.compress(tar, _LEVEL), f"{LAYER}+zstd", digest(tar))


def digest(content: bytes) -> str:
    """Return the digest by which OCI names content."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _add(archive: tarfile.TarFile, path: Path, name: str) -> None:
    member = tarfile.TarInfo(name)
    if path.is_symlink():
        member.type, member.linkname, member.mode = tarfile.SYMTYPE, str(path.readlink()), 0o777
        archive.addfile(member)
    elif path.is_dir():
        member.type, member.mode = tarfile.DIRTYPE, 0o755
        archive.addfile(member)
    else:
        content = path.read_bytes()
        is_program = bool(path.stat().st_mode & stat.S_IXUSR)
        member.mode, member.size = 0o755 if is_program else 0o644, len(content)
        archive.addfile(member, io.BytesIO(content))
