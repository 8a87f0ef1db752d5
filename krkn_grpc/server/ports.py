"""Listens on a port, or ends the process with one line."""

import grpc.aio

from krkn_grpc.startup import cannot_listen


def listen(server: grpc.aio.Server, address: str, *, setting: str) -> int:
    """Let `server` listen on `address`, HOST:PORT, and return the port; port 0: any free one.

    Ends the process with status 1 and one line, which names `setting`, if that is impossible.
    """
    try:
        return server.add_insecure_port(address)
    except RuntimeError:
        # gRPC tells the reason only in its own debug log.
        why = "the port is in use, or the address is not this machine's"
        cannot_listen("krkn-grpc server", setting, address, why)
