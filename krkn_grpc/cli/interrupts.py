"""What happens to the jobs of a run when the command that waits for them is interrupted."""

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from enum import StrEnum
from types import FrameType
from typing import Annotated

import typer

# As a shell says it of a process that SIGTERM ended.
EXIT_CODE = 128 + signal.SIGTERM


class OnInterrupt(StrEnum):
    """What to do with the jobs of the run."""

    STOP = "stop"
    LEAVE = "leave"


class Terminated(KeyboardInterrupt):
    """SIGTERM came: the same as Ctrl-C, from a pipeline that is cancelled."""


Option = Annotated[
    OnInterrupt | None,
    typer.Option(
        "--on-interrupt",
        help="On Ctrl-C or SIGTERM: stop the jobs, or leave them. Default: leave; stop if CI=true.",
    ),
]


def chosen(given: OnInterrupt | None) -> OnInterrupt:
    """Return what was chosen, else what suits the place: nobody looks after a pipeline's jobs."""
    if given is not None:
        return given
    is_pipeline = os.environ.get("CI", "").lower() in ("true", "1")
    return OnInterrupt.STOP if is_pipeline else OnInterrupt.LEAVE


@contextlib.contextmanager
def raised() -> Iterator[None]:
    """Raise Terminated in the block when SIGTERM comes."""
    if threading.current_thread() is not threading.main_thread():
        # Only the main thread may have handlers; signals do not come to others.
        yield
        return
    before = signal.signal(signal.SIGTERM, _terminated)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _terminated(_number: int, _frame: FrameType | None) -> None:
    raise Terminated
