"""Keeps the service of `make run` busy, so that its metrics have something to show.

    python -m examples.load [SECONDS]      (300, unless it is said; Ctrl-C ends it sooner)

Scenarios run on the three demo clusters, now more and now fewer of them. Some fail, one in ten is
stopped, and a fourth cluster does not answer. What was registered is deleted at the end.
"""

import contextlib
import itertools
import math
import sys
import time
from collections.abc import Iterator

import yaml

from examples.demo import IMAGE, KUBECONFIGS, SCENARIO, is_ready, registered
from krkn_grpc.client import KrknError, Kubeconfig
from krkn_grpc.client.plain import Krkn

SECONDS = 300
WAVE_SECONDS = 120
# What the simulated node makes of them: deploy/local/fake_node/stages/README.md.
ENDINGS = ("", "-lasts-5s", "-lasts-12s", "", "-lasts-3s-exit-1", "", "-lasts-20s", "-oom-killed")
STOPPED = 10
"""One of so many runs is stopped."""


@contextlib.contextmanager
def unreachable(krkn: Krkn, kubeconfig: str) -> Iterator[None]:
    """Register a cluster at an address where nothing listens."""
    content = yaml.safe_load(kubeconfig)
    content["clusters"][0]["cluster"]["server"] = "https://127.0.0.1:1"
    uuid = krkn.targets.register("demo-gone", Kubeconfig(yaml.safe_dump(content))).uuid
    try:
        yield
    finally:
        krkn.targets.delete(uuid)


def keep_busy(krkn: Krkn, uuids: list[str], end: float) -> None:
    """Run scenarios until `end`, which is by the monotonic clock."""
    for number, ending in enumerate(itertools.cycle(ENDINGS), 1):
        if time.monotonic() > end:
            return
        run = krkn.run(
            SCENARIO,
            uuids[: 1 + number % len(uuids)],
            image=f"{IMAGE}{ending}",
            max_parallel=2,
            ttl_seconds_after_finished=WAVE_SECONDS,
        )
        for job in run.results:
            krkn.jobs.get(job.job_id)
        if number % STOPPED == 0:
            run.cancel()
        share_of_wave = time.monotonic() % WAVE_SECONDS / WAVE_SECONDS
        time.sleep(1.5 + math.sin(2 * math.pi * share_of_wave))


def main() -> None:
    """Run the load."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS
    kubeconfigs = sorted(KUBECONFIGS.glob("demo-target-*.kubeconfig"))
    if not kubeconfigs:
        sys.exit("There are no clusters to try with: start `make run` in another terminal first.")
    with (
        Krkn() as krkn,
        registered(krkn, kubeconfigs) as names,
        unreachable(krkn, kubeconfigs[0].read_text()),
        contextlib.suppress(KeyboardInterrupt),
    ):
        for target in names:
            is_ready(krkn, target)
        keep_busy(krkn, list(names), time.monotonic() + seconds)


if __name__ == "__main__":
    try:
        main()
    except KrknError as error:
        sys.exit(f"The call failed: {error}")
