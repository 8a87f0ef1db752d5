"""How many scenarios could run at once, by all that a watch has seen of their pods."""

import math
from collections.abc import Iterable

from krkn_grpc.resources import names
from tests.support.custom_objects import Manifest
from tests.support.object_watch import ObjectWatch

_TERMINAL = ("Succeeded", "Failed")


def most_at_once(watch: ObjectWatch, jobs: Iterable[str]) -> int:
    """Return the greatest number of the jobs' pods that could run at one revision.

    A pod can run from the removal of its gate until it is terminal or gone.
    """
    changes: list[tuple[float, int]] = []
    for job in jobs:
        versions = watch.versions_of("pods", names.pod_for(job))
        for uid in {pod["metadata"]["uid"] for pod in versions}:
            began, ended = _could_run(
                [pod for pod in versions if pod["metadata"]["uid"] == uid],
                watch.gone_at.get(uid, math.inf),
            )
            if began < ended:
                changes += [(began, 1), (ended, -1)]
    running = most = 0
    for _, change in sorted(changes):
        running += change
        most = max(most, running)
    return most


def _could_run(versions: list[Manifest], gone_at: float) -> tuple[float, float]:
    began, ended = math.inf, gone_at
    for pod in versions:
        revision = int(pod["metadata"]["resourceVersion"])
        if not pod["spec"].get("schedulingGates"):
            began = min(began, revision)
        if pod.get("status", {}).get("phase") in _TERMINAL:
            ended = min(ended, revision)
    return began, ended
