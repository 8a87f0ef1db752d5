"""The report as GitHub's Markdown, for the summary of a step or a comment. Pure.

What comes from elsewhere is always code: in a code span or a block, no character of it is markup, a
link, a mention or HTML.
"""

import html
import re
from collections.abc import Iterable, Sequence

from krkn_grpc.cli.reports import facts, results
from krkn_grpc.cli.reports.model import Outcome, Report
from krkn_grpc.cli.reports.texts import count, cut

# GitHub takes a summary of 1 MiB, and shows none of a longer one.
_MOST_BYTES = 1_000_000
_LONGEST_CELL = 300


def rendered(report: Report) -> str:
    """Return the file; logs that would make it longer than GitHub takes are left out."""
    bad = report.not_well
    lines = [
        f"## {_code(facts.title(report))}: {report.run.status}",
        "",
        facts.sentence(report),
        "",
    ]
    if said := facts.note(report):
        lines += [_code(said), ""]
    known = [(name, _cell(words)) for name, words in facts.of_run(report)]
    lines += _table(("", ""), known)
    if inputs := facts.inputs(report):
        rows = [(_cell(name), _cell(words)) for name, words in inputs]
        lines += _folded("Parameters", _table(("Parameter", "Value"), rows))
    if bad:
        lines += [f"### Not succeeded: {len(bad)}", "", *_targets(bad)]
    others = _folded(f"All targets: {len(report.outcomes)}", _targets(report.outcomes))
    size = len("\n".join([*lines, *others]).encode())
    return "\n".join([*lines, *_logs(report, _MOST_BYTES - size), *others])


def _targets(outcomes: Iterable[Outcome]) -> list[str]:
    head = ("Target", "Status", "Reason", "Exit", "Time", "Message")
    return _table(head, (_row(outcome) for outcome in outcomes))


def _row(outcome: Outcome) -> Sequence[str]:
    code = outcome.job.exit_code
    return (
        _cell(outcome.name),
        str(outcome.status),
        _cell(outcome.reason),
        "" if code is None else str(code),
        facts.duration(outcome),
        _cell(outcome.message),
    )


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    made = [_line(head), _line(["---"] * len(head))]
    return [*made, *map(_line, rows), ""]


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _logs(report: Report, most: int) -> list[str]:
    """Return the ends of logs, each folded, in so many bytes; say if some are left out."""
    made: list[str] = []
    left_out = 0
    most -= 200  # for what is said of those
    for outcome in report.worst_first:
        part = _details(outcome)
        size = len("\n".join(part).encode()) + 1
        if size > most:
            left_out += 1
        else:
            made += part
            most -= size
    if left_out:
        said = count(left_out, "log")
        made += [f"Left out here: {said}. The page would be too long for GitHub.", ""]
    return made


def _details(outcome: Outcome) -> list[str]:
    """Return what the scenario reported and the end of its log, folded; nothing without a log."""
    if outcome.log is None:
        return []
    reported = [(_cell(name), _cell(words)) for name, words in results.of_target(outcome)]
    lines = list(outcome.log.lines)
    content = [
        *(_table((results.TITLE, ""), reported) if reported else []),
        *([_code(outcome.log.problem), ""] if outcome.log.problem else []),
        *(_block(lines) if lines else []),
    ]
    # Here it is HTML, and no Markdown.
    name = f"<code>{html.escape(outcome.name)}</code>"
    return _folded(f"{name}: {facts.log_title(outcome)}", content)


def _folded(summary: str, content: Iterable[str]) -> list[str]:
    # Markdown inside begins after an empty line.
    return [f"<details><summary>{summary}</summary>", "", *content, "</details>", ""]


def _block(lines: Sequence[str]) -> list[str]:
    fence = "`" * max(3, _longest_run("\n".join(lines)) + 1)
    return [f"{fence}text", *lines, fence, ""]


def _cell(text: str) -> str:
    """Return a code span for a table, where a bar ends a cell even in a span."""
    return _code(cut(text, _LONGEST_CELL).replace("|", "\\|"))


def _code(text: str) -> str:
    """Return a code span, nothing for no text."""
    if not text.strip():
        return ""
    ticks = "`" * (_longest_run(text) + 1)
    # A span takes one space away at either end; a backtick there must not end it.
    space = " " if text[0] in "` " or text[-1] in "` " else ""
    return f"{ticks}{space}{text}{space}{ticks}"


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)
