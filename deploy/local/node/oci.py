"""OCI images from files on this machine, without a registry and without a builder.

One archive can hold many images; what they have in common is in it once.
"""

import hashlib
import io
import json
import tarfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

_MEDIA = "application/vnd.oci.image"
_NAME = "io.containerd.image.name"


@dataclass(frozen=True)
class Layer:
    """Programs by their path in the image, and links by theirs."""

    programs: Mapping[str, bytes] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)

    def tar(self) -> bytes:
        """Return the layer as a tar; the same content is the same bytes."""
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as archive:
            for path, content in sorted(self.programs.items()):
                member = tarfile.TarInfo(path.lstrip("/"))
                member.mode, member.size = 0o755, len(content)
                archive.addfile(member, io.BytesIO(content))
            for path, target in sorted(self.links.items()):
                member = tarfile.TarInfo(path.lstrip("/"))
                member.type, member.linkname = tarfile.SYMTYPE, target
                archive.addfile(member)
        return buffer.getvalue()


@dataclass(frozen=True)
class Image:
    """An image: its whole name with a tag, what is in it and what it starts."""

    name: str
    layers: tuple[Layer, ...]
    entrypoint: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)


def write(path: Path, images: Iterable[Image]) -> None:
    """Write the archive."""
    blobs: dict[str, bytes] = {}

    def blob(content: bytes, kind: str) -> dict[str, object]:
        digest = hashlib.sha256(content).hexdigest()
        blobs[digest] = content
        return {
            "mediaType": f"{_MEDIA}.{kind}",
            "digest": f"sha256:{digest}",
            "size": len(content),
        }

    tars: dict[int, bytes] = {}
    manifests = []
    for image in images:
        layers = [
            blob(tars.setdefault(id(layer), layer.tar()), "layer.v1.tar") for layer in image.layers
        ]
        configuration = {
            "architecture": "amd64",
            "os": "linux",
            "config": {
                "Entrypoint": list(image.entrypoint),
                "Env": [f"{name}={value}" for name, value in image.environment.items()],
            },
            "rootfs": {"type": "layers", "diff_ids": [layer["digest"] for layer in layers]},
        }
        manifest = {
            "schemaVersion": 2,
            "mediaType": f"{_MEDIA}.manifest.v1+json",
            "config": blob(_json(configuration), "config.v1+json"),
            "layers": layers,
        }
        entry = blob(_json(manifest), "manifest.v1+json")
        manifests.append(entry | {"annotations": {_NAME: image.name}})
    with tarfile.open(path, "w") as archive:
        for digest, content in blobs.items():
            _add(archive, f"blobs/sha256/{digest}", content)
        _add(archive, "oci-layout", _json({"imageLayoutVersion": "1.0.0"}))
        _add(archive, "index.json", _json({"schemaVersion": 2, "manifests": manifests}))


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    archive.addfile(member, io.BytesIO(content))


def _json(value: object) -> bytes:
    return json.dumps(value).encode()
