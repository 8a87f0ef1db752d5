"""A start where the page cannot be built, and the key of one where it can."""

import io
import stat
from pathlib import Path

import pytest

from deploy.local.page_key import new_page_key
from deploy.local.progress import Progress
from deploy.local.run import built_page
from krkn_grpc.edge import page_key


def test_without_node_it_starts_without_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    nowhere = "http://127.0.0.1:9/simple"
    for name, value in {
        "PIP_INDEX_URL": nowhere,
        "PIP_RETRIES": "0",
        "UV_DEFAULT_INDEX": nowhere,
        "UV_HTTP_RETRIES": "0",
        "UV_NO_CACHE": "1",
        "PIP_NO_CACHE_DIR": "1",
    }.items():
        monkeypatch.setenv(name, value)
    said = io.StringIO()
    assert built_page(Progress(said)) is None
    [line] = [each for each in said.getvalue().splitlines() if "without the page" in each]
    assert "Node.js" in line


def test_each_key_is_new_and_for_this_user_alone(tmp_path: Path) -> None:
    keys = set()
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        file = new_page_key(tmp_path / name)
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        keys.add(page_key.of(file))
    assert len(keys) == 2
