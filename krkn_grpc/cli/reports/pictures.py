"""Pictures of a report: how many targets became what, and when each scenario ran. Pure.

They are SVG with attributes alone: the page's policy allows no style in an element.
"""

from collections.abc import Mapping

from krkn_grpc.cli.reports.elements import Element, e
from krkn_grpc.cli.reports.model import Outcome, Report, Status

# Good news first, so that the eye begins at what is left.
_ORDER = (
    Status.SUCCEEDED,
    Status.RUNNING,
    Status.STOPPING,
    Status.PENDING,
    Status.STOPPED,
    Status.ABSENT,
    Status.REFUSED,
    Status.FAILED,
)
# Of 1,000: what there is must be seen, one of 10,000 too.
_NARROWEST = 6.0


def bar(counts: Mapping[Status, int]) -> Element:
    """Return a bar with a part for each status that there is."""
    whole = sum(counts.values()) or 1
    parts = []
    widths = {
        status: max(_NARROWEST, 1000 * counts[status] / whole)
        for status in _ORDER
        if status in counts
    }
    scale = 1000 / (sum(widths.values()) or 1)
    at = 0.0
    for status, width in widths.items():
        parts.append(_part(at, width * scale, status))
        at += width * scale
    said = ", ".join(f"{number} {status.lower()}" for status, number in counts.items())
    return _picture(f"Targets: {said}", "bar", parts)


def lane(report: Report, outcome: Outcome) -> Element | None:
    """Return when a scenario ran within the time of the run; None if it did not."""
    began, start = report.run.start_time, outcome.job.start_time
    if began is None or start is None or not report.seconds:
        return None
    seconds = outcome.seconds
    if seconds is None:
        seconds = (report.made_at - start).total_seconds()
    at = max(0.0, min(1000 - _NARROWEST, 1000 * (start - began).total_seconds() / report.seconds))
    width = max(_NARROWEST, min(1000 - at, 1000 * seconds / report.seconds))
    whole = e("rect", x="0", y="0", width="1000", height="10", class_="time")
    picture = _picture("", "lane", [whole, _part(at, width, outcome.status)])
    # The columns beside it say the same in words.
    picture.set("aria-hidden", "true")
    return picture


def _picture(label: str, class_: str, parts: list[Element]) -> Element:
    made = e("svg", *parts, class_=class_, viewBox="0 0 1000 10", preserveAspectRatio="none")
    if label:
        made.set("role", "img")
        made.set("aria-label", label)
    return made


def _part(at: float, width: float, status: Status) -> Element:
    numbers = {"x": f"{at:.1f}", "y": "0", "width": f"{width:.1f}", "height": "10"}
    return e("rect", class_=status.lower(), **numbers)
