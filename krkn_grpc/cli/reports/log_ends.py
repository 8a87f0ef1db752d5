"""The end of a log as a report shows it. Pure.

krkn's last words are hundreds of lines of JSON. The report has its content in other words, so here
they are one line: what a reader looks for is before them.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence

from krkn_grpc.cli.reports.model import LogEnd
from krkn_grpc.cli.reports.texts import clean, cut

MOST_READ_BYTES = 1024 * 1024
"""Of one log. A scenario may print what it likes, also without a line break."""
MOST_LAST_WORDS = 5_000
"""So many lines more are read as are shown."""
MOST_SHOWN = 64 * 1024
"""Characters of one log in a report."""

_MARKER = "Chaos data:"


def log_end(content: bytes, lines: int, source: str = "") -> LogEnd:
    """Return the last lines of a log, of which `content` is all, or more than is shown.

    `source` is `kept` or `kept, truncated` of the log that was kept of a pod that is gone.
    """
    found = content[-MOST_READ_BYTES:].decode("utf-8", "replace").split("\n")
    if not found[-1]:
        found.pop()
    shown: list[str] = []
    left = MOST_SHOWN
    for line in list(_without_last_words(found))[: -lines - 1 : -1]:
        text = cut(clean(line))
        left -= len(text) + 1
        if left < 0:
            break
        shown.insert(0, text)
    has_all = len(content) <= MOST_READ_BYTES and len(shown) == len(found)
    return LogEnd(tuple(shown), has_all and "truncated" not in source, source=source)


def _without_last_words(lines: Sequence[str]) -> Iterator[str]:
    # Looked up, not searched for: a log may be nothing but markers.
    closing = [number for number, line in enumerate(lines) if line == "}"]
    at = 0
    while at < len(lines):
        end = _end_of_last_words(lines, at, closing)
        yield lines[at] if end == at else f"{lines[at]} (here without its {end - at} lines)"
        at = end + 1


def _end_of_last_words(lines: Sequence[str], at: int, closing: Sequence[int]) -> int:
    """Return the number of the last line of what krkn says from line `at` on; `at` for nothing."""
    if not lines[at].rstrip().endswith(_MARKER) or lines[at + 1 : at + 2] != ["{"]:
        return at
    place = bisect_left(closing, at + 2)
    is_closed = place < len(closing) and closing[place] < at + MOST_LAST_WORDS
    return closing[place] if is_closed else at
