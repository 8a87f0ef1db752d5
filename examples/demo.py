"""Demonstrates all steps: register three clusters, run a scenario on them, show each result.

`make run` writes the kubeconfigs of three demo clusters; `make demo` runs this program beside it.
A fourth target does not exist, to show that one target's failure does not affect the others. The
program deletes the targets that it registered; targets registered before are used and kept.
"""

import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from krkn_grpc.client import AlreadyExists, Job, KrknError, Kubeconfig, NotReady
from krkn_grpc.client.plain import Krkn

KUBECONFIGS = Path(".local")
SCENARIO = "pod-scenarios"
IMAGE = "quay.io/krkn-chaos/krkn-hub:pod-scenarios"
READY_SECONDS = 20


@contextmanager
def registered(krkn: Krkn, kubeconfigs: list[Path]) -> Iterator[dict[str, str]]:
    """Register the clusters as demo-1 and so on; yield the names by target uuid."""
    names: dict[str, str] = {}
    ours: list[str] = []
    try:
        for number, kubeconfig in enumerate(kubeconfigs, 1):
            name = f"demo-{number}"
            try:
                target = krkn.targets.register(name, Kubeconfig.read(kubeconfig)).uuid
                ours.append(target)
            except AlreadyExists as error:
                target = error.existing or sys.exit(str(error))
            names[target] = name
        yield names
    finally:
        for target in ours:
            krkn.targets.delete(target)


def is_ready(krkn: Krkn, target: str) -> bool:
    """Wait up to 20 s until the target is ready; return whether it is."""
    try:
        return bool(krkn.targets.wait_ready([target], timeout=READY_SECONDS))
    except NotReady:
        return False


def demonstrate(krkn: Krkn, names: dict[str, str]) -> None:
    """Run the scenario on all these targets and print the result on each."""
    run = krkn.run(SCENARIO, names, image=IMAGE)
    refused = len(run.refused)
    started = len(names) - refused
    print(f"\n{SCENARIO} on {len(names)} targets: {started} jobs started, {refused} refused\n")
    ended = {job.target_uuid: job for job in run.wait().jobs}
    for each in run.results:
        job = ended.get(each.target_uuid)
        if job is None:
            print(f"{names[each.target_uuid]:8} refused: {each.error}")
        else:
            code = "" if job.exit_code is None else f" (exit code {job.exit_code})"
            print(f"{names[each.target_uuid]:8} {job.status}{code}{score(job)}")


def score(job: Job) -> str:
    """Return what the scenario says of its cluster's resiliency, "" if it says nothing."""
    said = job.result.resiliency_score if job.result else None
    return "" if said is None else f", resiliency score {said:g}"


def main() -> None:
    """Run the demonstration."""
    kubeconfigs = sorted(KUBECONFIGS.glob("demo-target-*.kubeconfig"))
    if not kubeconfigs:
        sys.exit("There are no clusters to try with: start `make run` in another terminal first.")
    with Krkn() as krkn, registered(krkn, kubeconfigs) as names:
        for target, name in names.items():
            ready = "ready" if is_ready(krkn, target) else "not ready"
            print(f"{name} is registered and {ready}")
        demonstrate(krkn, names | {str(uuid.uuid4()): "unknown"})


if __name__ == "__main__":
    try:
        main()
    except KrknError as error:
        sys.exit(f"The call failed: {error}")
