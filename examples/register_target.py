"""Registers a cluster from a kubeconfig file, waits until it is ready, and lists all targets.

    python -m examples.register_target NAME KUBECONFIG [--delete]

With --delete the target is deleted at the end. Exits with 1 if the cluster was not ready within a
minute, and says why. KRKN_SERVER is the address of the service (default 127.0.0.1:8080),
KRKN_TOKEN the caller's token.
"""

import sys
from pathlib import Path

from krkn_grpc.client import KrknError, Kubeconfig, NotReady
from krkn_grpc.client.plain import Krkn


def run(krkn: Krkn, name: str, kubeconfig: Kubeconfig, *, delete: bool) -> bool:
    """Register the cluster, wait, and list all targets; return whether the cluster was ready."""
    uuid = krkn.targets.register(name, kubeconfig).uuid
    print(f"{name} is registered as {uuid}")
    is_ready = True
    try:
        krkn.targets.wait_ready([uuid])
        print(f"{name} is ready")
    except NotReady:
        is_ready = False
        print(f"{name} is not ready: {krkn.targets.get(uuid).message}")
    for each in krkn.targets.list():
        state = "Ready" if each.ready else each.reason or "not checked yet"
        print(each.uuid, each.cluster_name, each.cluster_api_url, state, sep="\t")
    if delete:
        krkn.targets.delete(uuid)
        print(f"{name} is deleted")
    return is_ready


def main() -> None:
    """Run with the arguments of the command line."""
    arguments = [each for each in sys.argv[1:] if each != "--delete"]
    if len(arguments) != 2:
        sys.exit(__doc__)
    name, file = arguments
    try:
        kubeconfig = Kubeconfig(Path(file).read_text())
        with Krkn() as krkn:
            is_ready = run(krkn, name, kubeconfig, delete="--delete" in sys.argv)
    except OSError as error:
        sys.exit(f"{file} cannot be read: {error.strerror}")
    except KrknError as error:
        sys.exit(f"The call failed: {error}")
    sys.exit(0 if is_ready else 1)


if __name__ == "__main__":
    main()
