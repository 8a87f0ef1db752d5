"""OCI archives: what was written is read, and the same content is the same bytes."""

import io
import os
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from deploy.oci import layers
from deploy.oci.archive import Image, read, write

PROGRAM = {"/bin/program": b"\x7fELF"}


def a_folder(folder: Path, *names: str) -> Path:
    """A folder whose files were made in this order, now."""
    (folder / "usr").mkdir(parents=True)
    for name in names:
        (folder / "usr" / name).write_text(name)
    (folder / "usr" / names[0]).chmod(0o777)
    (folder / "lib").symlink_to("usr/lib")
    return folder


def test_the_same_files_are_the_same_layer(tmp_path: Path) -> None:
    first = a_folder(tmp_path / "first", "a", "b")
    second = a_folder(tmp_path / "second", "b", "a")
    (second / "usr" / "a").chmod(0o777)
    (second / "usr" / "b").chmod(0o664)
    os.utime(second / "usr" / "a", (1, 1))
    assert layers.of_folder(first) == layers.of_folder(second)


def test_nobody_but_root_may_write_what_a_layer_has(tmp_path: Path) -> None:
    image = Image("image:1", (layers.of_folder(a_folder(tmp_path / "folder", "a", "b")),))
    write(tmp_path / "archive", [image])
    (tar,) = read(tmp_path / "archive").tars
    with tarfile.open(fileobj=io.BytesIO(tar)) as archive:
        found = {each.name: (each.mode, each.uid, each.mtime) for each in archive}
    assert found == {
        "lib": (0o777, 0, 0),
        "usr": (0o755, 0, 0),
        "usr/a": (0o755, 0, 0),
        "usr/b": (0o644, 0, 0),
    }


def test_an_image_is_read_as_it_was_written(tmp_path: Path) -> None:
    image = Image(
        "example.org/image:2",
        (layers.of_programs(PROGRAM),),
        entrypoint=("/bin/program",),
        environment={"HOME": "/"},
        labels={"b": "2", "a": "1"},
        user="1001:1001",
        architecture="arm64",
    )
    (digest,) = write(tmp_path / "archive", [image])
    stored = read(tmp_path / "archive")
    assert stored.digest == digest
    assert stored.configuration["architecture"] == "arm64"
    assert stored.configuration["config"] == {
        "Entrypoint": ["/bin/program"],
        "Env": ["HOME=/"],
        "Labels": {"a": "1", "b": "2"},
        "User": "1001:1001",
        "WorkingDir": "/",
    }


def test_an_image_by_another_name_has_the_same_layers(tmp_path: Path) -> None:
    image = Image(
        "image:1",
        (layers.of_folder(a_folder(tmp_path / "folder", "a")), layers.of_programs(PROGRAM)),
        environment={"PATH": "/bin", "OPTIONS": "a=b"},
        labels={"revision": "1", "title": "image"},
        user="1001:1001",
        created="2026-11-29T00:00:00Z",
    )
    (first,) = write(tmp_path / "first", [image])
    next_one = read(tmp_path / "first").named("image:2", {"revision": "2"})
    assert next_one == replace(image, name="image:2", labels={"revision": "2", "title": "image"})
    assert write(tmp_path / "second", [next_one]) != [first]
    assert read(tmp_path / "second").tars == read(tmp_path / "first").tars


def test_a_changed_layer_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "archive"
    write(path, [Image("image:1", (layers.of_programs(PROGRAM),))])
    path.write_bytes(path.read_bytes().replace(b"\x7fELF", b"\x7fFLE"))
    with pytest.raises(ValueError, match="has other content"):
        read(path)
