"""The report as a page: one file of HTML that asks nobody for anything. Pure.

There is no script in it, and its Content-Security-Policy lets none run; the only style is its own.
"""

import base64
import hashlib
from collections.abc import Iterable
from importlib import resources

from krkn_grpc.cli.reports import facts, results
from krkn_grpc.cli.reports.elements import Element, document, e
from krkn_grpc.cli.reports.facts import Fact
from krkn_grpc.cli.reports.model import Outcome, Report, Status
from krkn_grpc.cli.reports.pictures import bar, lane
from krkn_grpc.cli.reports.texts import cut

# So many of them are unfolded at the start.
_MOST_OPEN = 3
_LONGEST_SUMMARY, _LONGEST_REASON = 240, 80
_STYLE = (resources.files(__package__) / "page.css").read_text("utf-8")
_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_POLICY = f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'; form-action 'none'"


def rendered(report: Report) -> str:
    """Return the file."""
    title = facts.title(report)
    head = e(
        "head",
        e("meta", charset="utf-8"),
        e("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        e("meta", name="viewport", content="width=device-width, initial-scale=1"),
        e("meta", name="color-scheme", content="light dark"),
        e("meta", name="referrer", content="no-referrer"),
        e("meta", name="generator", content="krkn-grpc"),
        e("title", f"{title}: {report.run.status}"),
        e("style", _STYLE),
    )
    rest = [each for each in report.outcomes if not each.status.is_bad]
    body = e(
        "body",
        _header(report, title),
        e(
            "main",
            _cards("Not succeeded", report.not_well, _MOST_OPEN, id_="bad"),
            _table(report),
            _run(report),
            _cards(
                "Details of the others" if report.not_well else "Details", rest, 0, id_="others"
            ),
        ),
        e("footer", e("p", f"Made by krkn-grpc at {facts.moment(report.made_at)}.")),
    )
    return document(e("html", head, body, lang="en"))


def _header(report: Report, title: str) -> Element:
    note = facts.note(report)
    return e(
        "header",
        e("p", "Report of a chaos run", class_="kicker"),
        e("h1", title, " ", _badge(str(report.run.status))),
        e("p", facts.byline(report), class_="byline"),
        bar(report.counts),
        e("p", facts.sentence(report), class_="sentence"),
        e("ul", *map(_counted, report.counts.items()), class_="counts"),
        e("ul", *map(_reason, report.reasons.items()), class_="counts reasons"),
        e("p", note, class_="note") if note else None,
        _links(report),
    )


def _links(report: Report) -> Element:
    parts = {
        "bad": f"Not succeeded ({len(report.not_well)})" if report.not_well else "",
        "all": f"All targets ({len(report.outcomes)})",
        "run": "Run and parameters",
    }
    links = [e("li", e("a", words, href=f"#{id_}")) for id_, words in parts.items() if words]
    return e("nav", e("ul", *links), aria_label="Parts of this page")


def _counted(counted: tuple[Status, int]) -> Element:
    status, number = counted
    return e("li", e("b", str(number)), f" {status}", class_=_class(status))


def _reason(counted: tuple[str, int]) -> Element:
    reason, number = counted
    return e("li", e("b", str(number)), f" {reason}")


def _run(report: Report) -> Element:
    inputs = facts.inputs(report)
    return e(
        "section",
        e("h2", "Run"),
        _list(facts.of_run(report)),
        e("h2", "Parameters") if inputs else None,
        _list(inputs, class_="facts code") if inputs else None,
        id="run",
    )


def _cards(
    heading: str, outcomes: Iterable[Outcome], most_open: int, *, id_: str
) -> Element | None:
    cards = [_card(each, is_open=place < most_open) for place, each in enumerate(outcomes)]
    if not cards:
        return None
    return e("section", e("h2", f"{heading} ({len(cards)})"), *cards, id=id_)


def _card(outcome: Outcome, *, is_open: bool) -> Element:
    parts = [outcome.reason, _exit_code(outcome), facts.duration(outcome), outcome.message]
    content = e(
        "div",
        e("p", outcome.message, class_="message") if outcome.message else None,
        _list(facts.of_target(outcome)),
        *_reported(outcome),
        *_log(outcome),
        # A link to what is folded unfolds it.
        id=_anchor(outcome),
    )
    summary = e(
        "summary",
        _badge(str(outcome.status)),
        " ",
        e("b", outcome.name),
        " ",
        e("span", cut(" · ".join(part for part in parts if part), _LONGEST_SUMMARY)),
    )
    card = e("details", summary, content, class_=f"card {_class(outcome.status)}")
    if is_open:
        card.set("open", "")
    return card


def _reported(outcome: Outcome) -> Iterable[Element]:
    if reported := results.of_target(outcome):
        yield e("h3", results.TITLE)
        yield _list(reported)


def _log(outcome: Outcome) -> Iterable[Element]:
    log = outcome.log
    if log is None:
        return
    title = facts.log_title(outcome)
    yield e("h3", title)
    if log.problem or not log.lines:
        yield e("p", log.problem or "The log is empty.", class_="note")
    if log.lines:
        label = f"{title} of {outcome.name}"
        # What scrolls must be reached by the keyboard.
        yield e("pre", "\n".join(log.lines), tabindex="0", role="region", aria_label=label)


def _table(report: Report) -> Element:
    has_scores = any(map(results.score, report.outcomes))
    head = [
        e("th", "Target", scope="col"),
        e("th", "Status", scope="col"),
        e("th", "Reason", scope="col", class_="wide"),
        e("th", "Exit", scope="col", class_="number wide"),
        *([e("th", "Score", scope="col", class_="number wide")] if has_scores else []),
        e("th", "Start", scope="col", class_="wide"),
        e("th", "Time", scope="col", class_="number"),
        e("th", "In the run", scope="col", class_="wide"),
    ]
    rows = [_row(report, outcome, has_scores=has_scores) for outcome in report.outcomes]
    caption = e("caption", "In the order of the request; times are in UTC")
    return e(
        "section",
        e("h2", f"All targets ({len(rows)})"),
        e("table", caption, e("thead", e("tr", *head)), e("tbody", *rows)),
        id="all",
    )


def _row(report: Report, outcome: Outcome, *, has_scores: bool) -> Element:
    start = outcome.job.start_time
    why = outcome.reason or cut(outcome.message, _LONGEST_REASON)
    code = outcome.job.exit_code
    return e(
        "tr",
        e("th", e("a", outcome.name, href=f"#{_anchor(outcome)}"), scope="row"),
        e("td", _badge(str(outcome.status)), e("span", why, class_="narrow") if why else None),
        e("td", why, class_="wide"),
        e("td", "" if code is None else str(code), class_="number wide"),
        *([e("td", results.score(outcome), class_="number wide")] if has_scores else []),
        e("td", "" if start is None else f"{start:%H:%M:%S}", class_="wide"),
        e("td", facts.duration(outcome), class_="number"),
        e("td", lane(report, outcome), class_="wide"),
    )


def _list(known: Iterable[Fact], class_: str = "facts") -> Element:
    pairs = [e("div", e("dt", name), e("dd", words)) for name, words in known]
    return e("dl", *pairs, class_=class_)


def _exit_code(outcome: Outcome) -> str:
    code = outcome.job.exit_code
    return "" if code is None else f"exit code {code}"


def _badge(status: str) -> Element:
    return e("span", status, class_=f"badge {_class(status)}")


def _class(status: str) -> str:
    return "failed" if status == "PartiallyFailed" else status.lower()


def _anchor(outcome: Outcome) -> str:
    return f"target-{outcome.number}"
