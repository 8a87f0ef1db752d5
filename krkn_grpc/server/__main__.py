"""Starts the server: `python -m krkn_grpc.server`."""

import asyncio

from krkn_grpc import log
from krkn_grpc.server.app import serve
from krkn_grpc.server.settings import Settings
from krkn_grpc.startup import settings_or_exit


def main() -> None:
    """Read the settings from the environment and serve."""
    settings = settings_or_exit(Settings, "krkn-grpc server")
    log.configure(settings.log_level)
    asyncio.run(serve(settings))


if __name__ == "__main__":
    main()
