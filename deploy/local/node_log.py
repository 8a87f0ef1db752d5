"""What a container of the fake node has logged by a moment: it follows from the pod alone.

No container runs there, so nobody writes a log. But whoever reads one should find what a scenario
would say, the same lines each time, and more of them while it runs. Pure.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from deploy.local.cluster import Manifest

_SECOND = timedelta(seconds=1)
_MANY = re.compile(r"logs-(\d+)-lines")


@dataclass(frozen=True)
class Line:
    """One line, without its end, and when it was written."""

    at: datetime
    text: str

    def encoded(self, *, timestamps: bool) -> bytes:
        """Return the line as the kubelet sends it."""
        stamp = f"{self.at:%Y-%m-%dT%H:%M:%S}.{self.at.microsecond:06}000Z "
        return f"{stamp if timestamps else ''}{self.text}\n".encode()


@dataclass(frozen=True)
class ContainerLog:
    """The log of one container; `waiting` says why there is none."""

    lines: list[Line]
    is_whole: bool
    waiting: str = ""


def read(pod: Manifest, container: str, now: datetime) -> ContainerLog:
    """Return what the container has logged by `now`, or until it ended."""
    states = {
        status["name"]: status.get("state", {})
        for status in pod.get("status", {}).get("containerStatuses") or ()
    }
    state = states.get(container, {})
    ended = state.get("terminated")
    began = (ended or state.get("running") or {}).get("startedAt")
    if began is None:
        reason = state.get("waiting", {}).get("reason", "ContainerCreating")
        return ContainerLog([], ended is not None, "" if ended else reason)
    until = _moment(ended["finishedAt"]) if ended else now
    lines = list(_lines(pod, _moment(began), until))
    if ended:
        lines.append(Line(until, f"the scenario ended with exit code {ended['exitCode']}"))
    return ContainerLog([] if "logs-nothing" in _image(pod) else lines, bool(ended))


def is_cut(pod: Manifest) -> bool:
    """Whether the image asks for a log that breaks off in its middle."""
    return "log-is-cut" in _image(pod)


def _lines(pod: Manifest, began: datetime, until: datetime) -> Iterator[Line]:
    labels = pod["metadata"].get("labels", {})
    scenario = labels.get("krkn-scenario-name", pod["metadata"]["name"])
    yield Line(began, f"scenario {scenario} starts on target {labels.get('krkn-target-uuid')}")
    yield Line(began, f"image {_image(pod)}")
    yield Line(began, "this is the local cluster: nothing runs here, and nothing is harmed")
    many = _MANY.search(_image(pod))
    for number in range(1, int(many[1]) + 1 if many else 1):
        yield Line(began, f"line {number} of {many[1] if many else 0} that the image asks for")
    for second in range(1, int((until - began) / _SECOND) + 1):
        yield Line(began + second * _SECOND, f"the scenario runs for {second} s")


def _image(pod: Manifest) -> str:
    image: str = pod["spec"]["containers"][0]["image"]
    return image


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
