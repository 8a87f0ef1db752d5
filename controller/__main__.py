"""Starts the controller: `python -m controller`."""

import asyncio
import sys

from controller.app import control
from controller.settings import Settings
from krkn_grpc import log
from krkn_grpc.kube.kubeconfig_fault import Unusable
from krkn_grpc.startup import settings_or_exit


def main() -> None:
    """Read the settings from the environment and run the controller."""
    settings = settings_or_exit(Settings, "krkn-grpc controller")
    log.configure(settings.log_level)
    try:
        asyncio.run(control(settings))
    except Unusable as error:
        sys.exit(f"krkn-grpc controller: {error}")


if __name__ == "__main__":
    main()
