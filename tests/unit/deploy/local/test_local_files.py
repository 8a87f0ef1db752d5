"""What `make run` does with its files: the space it needs, what it keeps, what it shows of logs."""

import shutil
from pathlib import Path

import pytest

from deploy.local.errors import StartError
from deploy.local.local_folder import local_folder
from deploy.local.processes.children import without_stacks
from deploy.local.space import must_have_room

PANIC = """\
{"level":"fatal","msg":"failed to create WAL","error":"no space left on device"}
panic: failed to create WAL

goroutine 1 [running]:
go.uber.org/zap/zapcore.CheckWriteAction.OnWrite(0x2, 0xc0000)
\tgo.uber.org/zap@v1.27.0/zapcore/entry.go:196 +0x54
main.main()
\tserver/main.go:32 +0x27

goroutine 18 gp=0xc0001 m=nil [select, 2 minutes]:
runtime.gopark(0x1)
"""


def test_the_last_line_before_a_stack_is_shown() -> None:
    shown = without_stacks(PANIC.splitlines())
    assert shown == PANIC.splitlines()[:2]
    restarted = without_stacks([*PANIC.splitlines(), '{"msg":"up again"}', "its text"])
    assert restarted == [*PANIC.splitlines()[:3], '{"msg":"up again"}', "its text"]
    assert without_stacks([]) == []


def test_too_little_room_is_said_with_what_is_needed(tmp_path: Path) -> None:
    free = shutil.disk_usage(tmp_path).free
    must_have_room(tmp_path, free // 2, "make room")
    with pytest.raises(StartError, match=r" MB free, and \d+ MB are needed; make room"):
        must_have_room(tmp_path, free * 2, "make room")


@pytest.mark.parametrize("keep", [True, False])
def test_what_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keep: bool) -> None:
    monkeypatch.chdir(tmp_path)
    with local_folder(keep=True) as folder:
        for name in ("logs", "state"):
            (folder / name).mkdir()
        (folder / "admin.kubeconfig").touch()
    assert {entry.name for entry in folder.iterdir()} == {"logs", "state", ".in-use"}
    with local_folder(keep=keep):
        # A run without it begins with nothing.
        assert (folder / "state").exists() is keep
    assert folder.exists() is keep
