"""Starts the server: `python -m krkn_grpc.server`."""

import asyncio
import sys

from krkn_grpc import log
from krkn_grpc.kube.kubeconfig_fault import Unusable
from krkn_grpc.server.app import serve
from krkn_grpc.server.settings import Settings
from krkn_grpc.startup import settings_or_exit


def main() -> None:
    """Read the settings from the environment and serve."""
    settings = settings_or_exit(Settings, "krkn-grpc server")
    log.configure(settings.log_level)
    try:
        asyncio.run(serve(settings))
    except Unusable as error:
        sys.exit(f"krkn-grpc server: {error}")


if __name__ == "__main__":
    main()
