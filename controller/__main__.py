"""Starts the controller: `python -m controller`."""

import asyncio
import sys

from pydantic import ValidationError

from controller.assembly import control
from controller.settings import Settings
from krkn_grpc import log


def main() -> None:
    """Read the settings from the environment and work."""
    try:
        settings = Settings()
    except ValidationError as error:
        sys.exit(
            "\n".join(f"controller: {fault['msg']} {fault['loc']}" for fault in error.errors())
        )
    log.configure(settings.log_level)
    asyncio.run(control(settings))


if __name__ == "__main__":
    main()
