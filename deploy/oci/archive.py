"""OCI archives: one file with images, whose shared layers are stored once."""

import io
import json
import tarfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import zstandard

from deploy.oci import media
from deploy.oci.layers import Layer, digest


@dataclass(frozen=True)
class Image:
    """An image: its full name with a tag, its layers, and how its processes start."""

    name: str
    layers: tuple[Layer, ...]
    entrypoint: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    user: str = ""
    """Numbers, `uid:gid`; empty: root."""
    architecture: str = "amd64"
    created: str = ""
    """A time in RFC 3339; empty: none is told, so that it never differs."""

    def configuration(self) -> dict[str, object]:
        """Return the image's configuration as OCI has it."""
        told = {
            "Entrypoint": list(self.entrypoint),
            "Env": [f"{name}={value}" for name, value in self.environment.items()],
            "Labels": dict(sorted(self.labels.items())),
            "User": self.user,
            "WorkingDir": "/",
        }
        return {
            **({"created": self.created} if self.created else {}),
            "architecture": self.architecture,
            "os": "linux",
            "config": {key: value for key, value in told.items() if value},
            "rootfs": {"type": "layers", "diff_ids": [layer.diff_id for layer in self.layers]},
        }


def write(path: Path, images: Iterable[Image]) -> list[str]:
    """Write the archive; return the digest of each image's manifest."""
    blobs: dict[str, bytes] = {}

    def blob(content: bytes, kind: str) -> dict[str, object]:
        name = digest(content)
        blobs[name] = content
        return {"mediaType": kind, "digest": name, "size": len(content)}

    manifests = []
    for image in images:
        manifest = {
            "schemaVersion": 2,
            "mediaType": media.MANIFEST,
            "config": blob(_json(image.configuration()), media.CONFIGURATION),
            "layers": [blob(layer.content, layer.media_type) for layer in image.layers],
        }
        entry = blob(_json(manifest), media.MANIFEST)
        names = {media.NAME: image.name, media.TAG: image.name.rpartition(":")[2]}
        manifests.append(entry | {"annotations": names})
    index = {"schemaVersion": 2, "mediaType": media.INDEX, "manifests": manifests}
    with tarfile.open(path, "w") as archive:
        for name, content in blobs.items():
            _add(archive, f"blobs/{name.replace(':', '/')}", content)
        _add(archive, "oci-layout", _json({"imageLayoutVersion": "1.0.0"}))
        _add(archive, "index.json", _json(index))
    return [str(entry["digest"]) for entry in manifests]


@dataclass(frozen=True)
class Stored:
    """The only image of an archive, as it was read."""

    digest: str
    configuration: dict[str, Any]
    layers: tuple[Layer, ...]
    """As they are stored; the last one is on top."""
    tars: list[bytes]
    """The same, not compressed."""

    def named(self, name: str, labels: Mapping[str, str]) -> Image:
        """Return the image by another name, with these labels besides its own."""
        told = self.configuration["config"]
        return Image(
            name,
            self.layers,
            tuple(told.get("Entrypoint", ())),
            dict(entry.split("=", 1) for entry in told.get("Env", ())),
            {**told.get("Labels", {}), **labels},
            told.get("User", ""),
            self.configuration["architecture"],
            self.configuration.get("created", ""),
        )


def read(path: Path) -> Stored:
    """Read an archive of one image; raises ValueError if a digest is not its content's."""
    with tarfile.open(path) as archive:

        def blob(entry: dict[str, Any]) -> bytes:
            name = str(entry["digest"])
            content = _content(archive, f"blobs/{name.replace(':', '/')}")
            if digest(content) != name:
                msg = f"{path.name}: {name} has other content"
                raise ValueError(msg)
            return content

        (entry,) = json.loads(_content(archive, "index.json"))["manifests"]
        manifest = json.loads(blob(entry))
        configuration = json.loads(blob(manifest["config"]))
        stored = [(blob(layer), layer["mediaType"]) for layer in manifest["layers"]]
    tars = [_uncompressed(kind, content) for content, kind in stored]
    diff_ids = [digest(tar) for tar in tars]
    if diff_ids != configuration["rootfs"]["diff_ids"]:
        msg = f"{path.name}: a layer is not the one that its configuration names"
        raise ValueError(msg)
    layers = tuple(
        Layer(content, kind, diff_id)
        for (content, kind), diff_id in zip(stored, diff_ids, strict=True)
    )
    return Stored(str(entry["digest"]), configuration, layers, tars)


def _uncompressed(kind: str, content: bytes) -> bytes:
    return zstandard.decompress(content) if kind.endswith("+zstd") else content


def _content(archive: tarfile.TarFile, name: str) -> bytes:
    file = archive.extractfile(name)
    if file is None:
        msg = f"{name} is no file"
        raise ValueError(msg)
    return file.read()


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.mode, member.size = 0o644, len(content)
    archive.addfile(member, io.BytesIO(content))


def _json(value: object) -> bytes:
    return json.dumps(value).encode()
