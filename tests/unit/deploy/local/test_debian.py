"""What is said when Debian's packages cannot be had."""

from pathlib import Path

import pytest

from deploy.local.debian import Apt, files_in
from deploy.local.errors import StartError


def test_apts_list_of_files_is_read() -> None:
    uris = "'http://a/libc6_1%2b1.deb' libc6_1+1.deb 27 SHA256:ba4f\nW: a warning\n"
    assert files_in(uris) == {"libc6_1+1.deb": "ba4f"}


def test_a_machine_without_apt_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(StartError, match=r"^Prometheus is needed, and there is no apt-get$"):
        Apt(tmp_path, "Prometheus is needed").update()


def test_what_apt_says_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    apt = tmp_path / "apt-get"
    apt.write_text(
        "#!/bin/sh\necho 'E: one'>&2\necho 'E: Unable to locate package' >&2\nexit 100\n"
    )
    apt.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(StartError, match=r"needed, and apt says: E: Unable to locate package$"):
        Apt(tmp_path, "Prometheus is needed").fetch(["prometheus"], tmp_path / "packages")
