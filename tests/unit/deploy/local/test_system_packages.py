"""Packages that are installed where a program is missing: by an apt-get that notes what it does."""

from pathlib import Path

import pytest

from deploy.local import browser, system_packages
from deploy.local.errors import StartError
from deploy.local.progress import Progress

APT = """#!/bin/sh
echo "$@" >>"$0.calls"
case "$*" in
*update*) touch "$0.lists" ;;
*install*) [ -e "$0.lists" ] || { echo "E: no lists" >&2; exit 100; } ;;
esac
for package; do program=${0%/*}/$package; done
[ "$package" = update ] || { printf '#!/bin/sh\\n' >"$program"; chmod +x "$program"; }
"""


@pytest.fixture
def apt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An apt-get without lists of packages; it installs a program of the package's name."""
    program = tmp_path / "apt-get"
    program.write_text(APT)
    program.chmod(0o755)
    for name in ("touch", "chmod"):
        (tmp_path / name).symlink_to(f"/bin/{name}")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return program


def calls(apt: Path) -> list[str]:
    """What it was called for: the command, and the packages."""
    noted = apt.with_name("apt-get.calls")
    lines = noted.read_text().splitlines() if noted.exists() else []
    return [" ".join(word for word in line.split() if not word.startswith("--")) for line in lines]


def test_what_is_there_is_not_installed(apt: Path) -> None:
    system_packages.install({"a": lambda: True}, Progress())
    assert calls(apt) == []


def test_the_lists_are_fetched_where_they_are_needed(apt: Path) -> None:
    is_there = (apt.parent / "b").exists
    system_packages.install({"a": lambda: True, "b": is_there}, Progress())
    assert calls(apt) == ["install b", "update", "install b"]
    system_packages.install({"b": is_there}, Progress())
    assert len(calls(apt)) == 3


def test_a_failure_says_what_apt_said(apt: Path) -> None:
    apt.write_text("#!/bin/sh\necho 'E: are you root?' >&2\nexit 100\n")
    with pytest.raises(StartError, match=r"a cannot be installed: E: are you root\?"):
        system_packages.install({"a": lambda: False}, Progress())


def test_without_apt_it_is_an_error(apt: Path) -> None:
    apt.unlink()
    with pytest.raises(StartError, match="a cannot be installed"):
        system_packages.install({"a": lambda: False}, Progress())


def test_the_browser_of_the_machine_is_taken_else_debians(apt: Path) -> None:
    assert browser.browser_program(Progress()) == apt.parent / "chromium"
    assert calls(apt)[-1] == "install chromium"
    (apt.parent / "chromium").rename(apt.parent / "google-chrome")
    assert browser.browser_program(Progress()) == apt.parent / "google-chrome"
    assert len(calls(apt)) == 3
