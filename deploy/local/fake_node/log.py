"""Generates the log of a container of the fake node up to a given time, from the pod alone.

No container runs there, so there is no real log. A reader gets the lines that a scenario would
print: the same lines each time, and more of them while it runs. Pure.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from deploy.local.cluster.api import Manifest
from deploy.local.fake_node import last_words

_SECOND = timedelta(seconds=1)
_WIDTH = 100
_MANY = re.compile(r"logs-(\d+)-lines")


@dataclass(frozen=True)
class Line:
    """One line, without its end, and when it was written."""

    at: datetime
    text: str

    def encoded(self, *, timestamps: bool) -> bytes:
        """Return the line as the kubelet sends it."""
        stamp = f"{self.at:%Y-%m-%dT%H:%M:%S}.{self.at.microsecond:06}000Z " if timestamps else ""
        return f"{stamp}{self.text}\n".encode()


@dataclass(frozen=True)
class Lines:
    """All lines of a log; each line is generated only when it is read."""

    first: tuple[str, ...] = ()
    many: int = 0
    began: datetime = datetime.min
    seconds: int = 0
    last: tuple[Line, ...] = ()

    def __len__(self) -> int:
        """Return the number of lines."""
        return len(self.first) + self.many + self.seconds + len(self.last)

    def part(self, start: int, most: int) -> list[Line]:
        """Return up to `most` lines from index `start`, fewer at the end."""
        return [self._line(index) for index in range(start, min(start + most, len(self)))]

    def _line(self, index: int) -> Line:
        if index < len(self.first):
            return Line(self.began, self.first[index])
        index -= len(self.first)
        if index < self.many:
            return Line(self.began, f"line {index + 1} ".ljust(_WIDTH, "."))
        index -= self.many
        if index < self.seconds:
            second = index + 1
            return Line(self.began + second * _SECOND, f"the scenario runs for {second} s")
        return self.last[index - self.seconds]


@dataclass(frozen=True)
class ContainerLog:
    """The log of one container; `waiting` says why there is none."""

    lines: Lines
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
        return ContainerLog(Lines(), ended is not None, "" if ended else reason)
    if "logs-nothing" in _image(pod):
        return ContainerLog(Lines(), bool(ended))
    until = _moment(ended["finishedAt"]) if ended else now
    last: list[str] = []
    if ended:
        code = ended["exitCode"]
        last = [*last_words.lines(pod, code), f"the scenario ended with exit code {code}"]
    many = _MANY.search(_image(pod))
    lines = Lines(
        _first(pod),
        int(many[1]) if many else 0,
        _moment(began),
        max(int((until - _moment(began)) / _SECOND), 0),
        tuple(Line(until, text) for text in last),
    )
    return ContainerLog(lines, bool(ended))


def is_cut(pod: Manifest) -> bool:
    """Whether the image asks for a log that breaks off in its middle."""
    return "log-is-cut" in _image(pod)


def _first(pod: Manifest) -> tuple[str, ...]:
    labels = pod["metadata"].get("labels", {})
    scenario = labels.get("krkn-scenario-name", pod["metadata"]["name"])
    return (
        f"scenario {scenario} starts on target {labels.get('krkn-target-uuid')}",
        f"image {_image(pod)}",
        "this is the local cluster: nothing runs here, and nothing is harmed",
    )


def _image(pod: Manifest) -> str:
    image: str = pod["spec"]["containers"][0]["image"]
    return image


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
