"""What is read of an administrator's folder."""

import os
from pathlib import Path

import pytest

from krkn_grpc.catalogue import entry, folder
from krkn_grpc.catalogue.folder import read, signature

ENTRY = b'[{"name": "one", "variable": "ONE", "type": "string"}]'


def a_config_map(root: Path, version: str, **files: bytes) -> None:
    """Write files as the kubelet mounts a ConfigMap: behind a link that it swaps."""
    data = root / f"..{version}"
    data.mkdir(parents=True)
    for name, content in files.items():
        (data / f"{name}.json").write_bytes(content)
    fresh = root / "..data_tmp"
    fresh.symlink_to(data.name)
    fresh.rename(root / "..data")
    for link in root.glob("*.json"):
        link.unlink()
    for name in files:
        (root / f"{name}.json").symlink_to(f"..data/{name}.json")


def test_a_mounted_config_map_and_its_next_version(tmp_path: Path) -> None:
    a_config_map(tmp_path, "1", one=ENTRY, globals=ENTRY)
    first, before = read(tmp_path), signature(tmp_path)
    assert first.scenarios.keys() == {"one"}
    assert not first.skipped
    assert first.of_all is not None
    assert not first.scenarios["one"].is_built_in
    assert signature(tmp_path) == before

    a_config_map(tmp_path, "2", one=ENTRY.replace(b"ONE", b"TWO"), two=ENTRY)
    assert signature(tmp_path) != before
    second = read(tmp_path)
    assert second.scenarios.keys() == {"one", "two"}
    assert second.of_all is None
    assert [p.variable for p in second.scenarios["one"].parameters.listed] == ["TWO"]


def test_what_cannot_be_read_is_skipped_and_the_rest_is_not(tmp_path: Path) -> None:
    (tmp_path / "good.json").write_bytes(ENTRY)
    (tmp_path / "notes.txt").write_bytes(b"no entry")
    (tmp_path / ".hidden.json").write_bytes(b"no entry")
    (tmp_path / "bad.json").write_bytes(b"{")
    (tmp_path / "a folder.json").mkdir()
    (tmp_path / "big.json").write_bytes(b" " * (entry.LARGEST + 1) + ENTRY)
    (tmp_path / "gone.json").symlink_to("nothing")
    (tmp_path / "loop.json").symlink_to("loop.json")
    (tmp_path / "device.json").symlink_to("/dev/zero")
    (tmp_path / "no name.json").write_bytes(ENTRY)
    os.mkfifo(tmp_path / "pipe.json")
    reading = read(tmp_path)
    assert reading.scenarios.keys() == {"good"}
    assert {each.file: bool(each.why) for each in reading.skipped} == dict.fromkeys(
        [
            *("a folder.json", "bad.json", "big.json", "device.json", "gone.json", "loop.json"),
            *("no name.json", "pipe.json"),
        ],
        True,
    )
    assert signature(tmp_path) == signature(tmp_path)


def test_so_many_files_and_no_more(tmp_path: Path) -> None:
    for number in range(folder.MOST_FILES + 5):
        (tmp_path / f"s{number:04}.json").write_bytes(ENTRY)
    reading = read(tmp_path)
    assert len(reading.scenarios) == folder.MOST_FILES
    [skipped] = reading.skipped
    assert skipped.file == f"s{folder.MOST_FILES:04}.json"


def test_so_many_bytes_and_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder, "MOST_BYTES", 3 * len(ENTRY))
    for name in "abcd":
        (tmp_path / f"{name}.json").write_bytes(ENTRY)
    reading = read(tmp_path)
    assert reading.scenarios.keys() == {"a", "b", "c"}
    assert [each.file for each in reading.skipped] == ["d.json"]


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    for read_it in (read, signature):
        with pytest.raises(FileNotFoundError):
            read_it(tmp_path / "nothing")
