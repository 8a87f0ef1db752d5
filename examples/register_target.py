"""Registers a cluster from a kubeconfig file, waits until it is ready, and lists all targets.

    python -m examples.register_target NAME KUBECONFIG [--delete]

With --delete the target is deleted at the end. Exits with 1 if the cluster was not ready within a
minute, and says why. KRKN_SERVER is the address of the service (default 127.0.0.1:8080),
KRKN_TOKEN the caller's token.
"""

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import grpc

from krkn_grpc.v1.targets_pb2 import (
    CreateTargetRequest,
    DeleteTargetRequest,
    GetTargetRequest,
    ListTargetsRequest,
    Target,
)
from krkn_grpc.v1.targets_pb2_grpc import TargetServiceStub

SERVER = os.environ.get("KRKN_SERVER") or "127.0.0.1:8080"
TOKEN = os.environ.get("KRKN_TOKEN", "")
METADATA = (("authorization", f"Bearer {TOKEN}"),) if TOKEN else ()
# Without TLS a proxy could read the token, so no proxy is used.
DIRECT = [("grpc.enable_http_proxy", 0)]
PATIENCE_SECONDS = 60.0


def register(service: TargetServiceStub, name: str, kubeconfig: str) -> str:
    """Register the cluster of the kubeconfig's current context; return its uuid."""
    request = CreateTargetRequest(
        cluster_name=name, secret_type="kubeconfig", kubeconfig=kubeconfig
    )
    return service.CreateTarget(request, metadata=METADATA).uuid


def checked(service: TargetServiceStub, uuid: str) -> Target:
    """Return the target as soon as it is ready, or in its current state after 60 s."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        target = service.GetTarget(GetTargetRequest(uuid=uuid), metadata=METADATA)
        if target.ready or time.monotonic() > deadline:
            return target
        time.sleep(0.5)


def registered(service: TargetServiceStub) -> Iterator[Target]:
    """Yield all targets, newest first, page after page."""
    request = ListTargetsRequest()
    while True:
        page = service.ListTargets(request, metadata=METADATA)
        yield from page.targets
        if not page.next_page_token:
            return
        request.page_token = page.next_page_token


def run(service: TargetServiceStub, name: str, kubeconfig: str, *, delete: bool) -> bool:
    """Register the cluster, wait, and list all targets; return whether the cluster was ready."""
    uuid = register(service, name, kubeconfig)
    print(f"{name} is registered as {uuid}")
    target = checked(service, uuid)
    print(f"{name} is ready" if target.ready else f"{name} is not ready: {target.message}")
    for each in registered(service):
        state = "Ready" if each.ready else each.reason or "not checked yet"
        print(each.uuid, each.cluster_name, each.cluster_api_url, state, sep="\t")
    if delete:
        service.DeleteTarget(DeleteTargetRequest(uuid=uuid), metadata=METADATA)
        print(f"{name} is deleted")
    return target.ready


def main() -> None:
    """Run with the arguments of the command line."""
    arguments = [each for each in sys.argv[1:] if each != "--delete"]
    if len(arguments) != 2:
        sys.exit(__doc__)
    name, file = arguments
    try:
        kubeconfig = Path(file).read_text()
        with grpc.insecure_channel(SERVER, DIRECT) as channel:
            service = TargetServiceStub(channel)
            is_ready = run(service, name, kubeconfig, delete="--delete" in sys.argv)
    except OSError as error:
        sys.exit(f"{file} cannot be read: {error.strerror}")
    except grpc.RpcError as error:
        sys.exit(f"The call to {SERVER} failed: {error.details()}")
    sys.exit(0 if is_ready else 1)


if __name__ == "__main__":
    main()
