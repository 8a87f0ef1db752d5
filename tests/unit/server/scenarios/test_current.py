"""The catalogue follows its folder, and the log says why a file is skipped, once."""

import asyncio
from pathlib import Path

from structlog.testing import capture_logs

from krkn_grpc.catalogue import built_in
from krkn_grpc.catalogue.model import Catalogue
from krkn_grpc.server.scenarios.current import CurrentCatalogue
from tests.support.waiting import eventually

ENTRY = '[{"name": "one", "variable": "ONE", "type": "string"}]'


async def test_without_a_folder_it_is_the_releases_own() -> None:
    current = CurrentCatalogue(None)
    await current.refresh()
    await current.keep_current()  # There is nothing to wait for.
    assert current.value is built_in.catalogue()


async def test_it_is_read_again_only_when_it_has_changed(tmp_path: Path) -> None:
    current = CurrentCatalogue(tmp_path)
    (tmp_path / "mine.json").write_text(ENTRY)
    (tmp_path / "bad.json").write_text("{")
    with capture_logs() as first:
        await current.refresh()
    assert current.value.find("mine") is not None
    assert [line["file"] for line in first if line["log_level"] == "warning"] == ["bad.json"]
    before = current.value
    with capture_logs() as second:
        await current.refresh()
    assert (second, current.value) == ([], before)
    (tmp_path / "mine.json").unlink()
    await current.refresh()
    assert current.value.find("mine") is None
    assert len(current.value.listed) == 27


async def test_a_replaced_entry_comes_back_when_its_file_is_spoilt(tmp_path: Path) -> None:
    current = CurrentCatalogue(tmp_path)
    file = tmp_path / "pod-scenarios.json"
    file.write_text(ENTRY)
    await current.refresh()
    replaced = current.value.find("pod-scenarios")
    assert replaced is not None
    assert not replaced.is_built_in
    file.write_text("[")
    await current.refresh()
    assert current.value.find("pod-scenarios") == built_in.catalogue().find("pod-scenarios")


async def test_a_folder_that_goes_leaves_the_last_catalogue(tmp_path: Path) -> None:
    folder = tmp_path / "catalogue"
    current = CurrentCatalogue(folder)
    with capture_logs() as told:
        await current.refresh()
        await current.refresh()
    assert [line["log_level"] for line in told] == ["warning"]
    assert current.value is built_in.catalogue()
    folder.mkdir()
    (folder / "mine.json").write_text(ENTRY)
    await current.refresh()
    (folder / "mine.json").unlink()
    folder.rmdir()
    await current.refresh()
    assert current.value.find("mine") is not None


async def test_it_goes_on_looking(tmp_path: Path) -> None:
    current = CurrentCatalogue(tmp_path, seconds=0)

    async def now() -> Catalogue:
        return current.value

    looking = asyncio.create_task(current.keep_current())
    try:
        (tmp_path / "mine.json").write_text(ENTRY)
        await eventually(now, lambda catalogue: catalogue.find("mine") is not None)
    finally:
        looking.cancel()
