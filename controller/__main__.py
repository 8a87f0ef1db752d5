"""Starts the controller: `python -m controller`."""

import asyncio

from controller.app import control
from controller.settings import Settings
from krkn_grpc import log
from krkn_grpc.startup import settings_or_exit


def main() -> None:
    """Read the settings from the environment and run the controller."""
    settings = settings_or_exit(Settings, "krkn-grpc controller")
    log.configure(settings.log_level)
    asyncio.run(control(settings))


if __name__ == "__main__":
    main()
