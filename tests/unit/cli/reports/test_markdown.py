"""The report as Markdown: tables stay tables, and nothing from elsewhere is markup."""

from collections.abc import Iterator

from markdown_it import MarkdownIt
from markdown_it.token import Token

from krkn_grpc.cli.reports import markdown
from krkn_grpc.cli.reports.model import LogEnd, Report
from krkn_grpc.cli.reports.texts import clean
from krkn_grpc.v1.runs_pb2 import RunStop
from tests.support.reports import HOSTILE, a_job, a_report, hostile, of_many, refused, reported

TEXT = {"text", "code_inline", "fence", "softbreak", "inline"}
STRUCTURE = {"html_block", "heading", "paragraph", "table", "thead", "tbody", "tr", "th", "td"}


def parsed(text: str) -> list[Token]:
    """The tokens of a document, those of lines too."""
    reader = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    return list(_flat(reader.parse(text)))


def _flat(tokens: list[Token]) -> Iterator[Token]:
    for token in tokens:
        yield token
        yield from _flat(token.children or [])


def rows(tokens: list[Token]) -> list[int]:
    """How many cells each row of the tables has."""
    counts: list[int] = []
    for token in tokens:
        if token.type == "tr_open":
            counts.append(0)
        elif token.type in ("td_open", "th_open"):
            counts[-1] += 1
    return counts


def test_it_has_all_targets_and_the_logs_of_failures() -> None:
    tokens = parsed(markdown.rendered(of_many()))
    # The facts and the parameters, with their heads; the failures, what they said, all targets.
    facts, failed, said, every = (1 + 14) + (1 + 4), 1 + 16, 7 * (1 + 6), 1 + 200
    assert rows(tokens) == [2] * facts + [6] * failed + [2] * said + [6] * every
    assert len([token for token in tokens if token.type == "fence"]) == 7
    summaries = [token.content for token in tokens if token.type == "html_block"]
    log = "<details><summary><code>eu-west-007</code>: Log, the last 50 lines</summary>\n"
    assert log in summaries


def test_nothing_from_elsewhere_is_markup() -> None:
    text = markdown.rendered(hostile())
    tokens = parsed(text)
    kinds = {token.type.removesuffix("_open").removesuffix("_close") for token in tokens}
    assert kinds <= TEXT | STRUCTURE, kinds
    assert rows(tokens) == rows(parsed(markdown.rendered(a_like_hostile())))
    for token in tokens:
        if token.type == "text":
            assert not set(token.content) & set("<>@[]`*|"), token.content
        if token.type == "html_block":
            assert "<script" not in token.content
            assert "<img" not in token.content
    codes = [token.content for token in tokens if token.type == "code_inline"]
    assert codes.count(clean(HOSTILE)) > 5
    [log] = [token.content for token in tokens if token.type == "fence"]
    assert "\n````\n</details>\n# a heading\n" in log


def a_like_hostile() -> Report:
    """A report of the same form with harmless texts."""
    jobs = [a_job(1, "Failed", reason="r", result=reported()), refused(2, "why"), a_job(3)]
    return a_report(
        jobs,
        {jobs[0].job_id: LogEnd(("a line",))},
        environment={"A": "a"},
        secret_environment_names=["B"],
        file_names=["c"],
        stop=RunStop(reason="r", message="m", by="b"),
    )


def test_it_is_never_longer_than_github_takes() -> None:
    jobs = [a_job(number, "Failed", exit_code=1) for number in range(200)]
    logs = {job.job_id: LogEnd(("x" * 1_000,) * 50) for job in jobs}
    text = markdown.rendered(a_report(jobs, logs))
    assert 900_000 < len(text.encode()) <= 1_000_000
    assert "Left out here: 1" in text
    assert text.rstrip().endswith("</details>")
    assert rows(parsed(text))[-201:] == [6] * 201
