"""Starts the server: `python -m krkn_grpc.server`."""

import asyncio
import sys

from pydantic import ValidationError

from krkn_grpc import log
from krkn_grpc.server.assembly import serve
from krkn_grpc.server.settings import Settings


def main() -> None:
    """Read the settings from the environment and serve."""
    try:
        settings = Settings()
    except ValidationError as error:
        sys.exit("\n".join(f"krkn-grpc: {fault['msg']} {fault['loc']}" for fault in error.errors()))
    log.configure(settings.log_level)
    asyncio.run(serve(settings))


if __name__ == "__main__":
    main()
