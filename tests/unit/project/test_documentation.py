"""What the documentation lists is what there is."""

import re
import subprocess
from collections import Counter
from pathlib import Path

import pytest
from google.protobuf.descriptor import FileDescriptor

from deploy.local.services import REPOSITORY
from docs import generate
from krkn_grpc.edge.http_rules import DESCRIPTOR_SET, RestApi
from krkn_grpc.v1 import health_pb2, scenario_runs_pb2, scenarios_pb2, targets_pb2

FILES: tuple[FileDescriptor, ...] = (
    targets_pb2.DESCRIPTOR,
    scenario_runs_pb2.DESCRIPTOR,
    scenarios_pb2.DESCRIPTOR,
    health_pb2.DESCRIPTOR,
)
PAGES = [
    *(REPOSITORY / name for name in ("README.md", "CHANGELOG.md")),
    REPOSITORY / "deploy/helm/krkn-grpc/README.md",
    REPOSITORY / "deploy/local/fake_node/stages/README.md",
    *sorted((REPOSITORY / "docs").rglob("*.md")),
]
MERGED = ("architecture.md", "promises.md", "decisions/README.md")
README = (REPOSITORY / "README.md").read_text()


def table(heading: str) -> list[str]:
    """The rows of the README's table under a heading."""
    section = README.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return re.findall(r"^\| `.*$", section, re.MULTILINE)


def test_the_settings_page_is_fresh() -> None:
    assert generate.PAGE.read_text() == generate.page(), "run make docs"


def test_the_readme_shows_settings_as_they_are() -> None:
    shown = table("Settings")
    assert shown
    assert set(shown) <= {
        row for each in generate.PROCESSES.values() for row in generate.rows(each)
    }


def test_the_readme_lists_every_rest_call() -> None:
    json_names = {
        field.name: field.json_name
        for file in FILES
        for message in file.message_types_by_name.values()
        for field in message.fields
    }
    calls = {
        f"{call.verb} {re.sub(r'{(.*?)}', lambda m: '{%s}' % json_names[m[1]], call.path)}"  # noqa: UP031
        for call in RestApi(DESCRIPTOR_SET.read_bytes()).calls
    }
    assert {row.split("`")[1] for row in table("REST")} == calls


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)\)", page.read_text())
    broken = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert not broken


@pytest.mark.parametrize(
    "page",
    ["README.md", "CHANGELOG.md", *(f"docs/{each}" for each in MERGED)],
)
def test_no_entry_of_a_list_stands_twice(page: str) -> None:
    """These pages are merged line by line, which may keep one of both sides."""
    entries = re.findall(r"^(?:- |\| [`\[]).*$", (REPOSITORY / page).read_text(), re.MULTILINE)
    assert [entry for entry, count in Counter(entries).items() if count > 1] == []


@pytest.mark.parametrize("page", ["promises.md", "security.md"])
def test_every_test_that_a_page_names_exists(page: str) -> None:
    named = re.findall(
        r"`(tests/[\w/]+\.py)(?:::(\w+))?`", (REPOSITORY / "docs" / page).read_text()
    )
    assert len(named) > 20
    for path, test in named:
        content = (REPOSITORY / path).read_text()
        assert f"def {test}(" in content if test else "def test_" in content, (path, test)


def test_the_architecture_says_where_everything_lives() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    named = re.findall(r"`([\w/-]+)`", (REPOSITORY / "docs" / "architecture.md").read_text())
    homes = {Path(name) for name in named}
    # Of what runs in production each folder has its line; elsewhere one may stand for those below.
    homeless = {
        str(path.parent)
        for path in map(Path, listed)
        if path.suffix in {".py", ".yaml", ".proto", ".lua", ".mod"}
        and len(path.parts) > 1
        and path.parts != ("tests", "conftest.py")
        and path.parent not in homes
        and (path.parts[0] in {"krkn_grpc", "controller"} or not homes & {*path.parents})
    }
    assert not homeless


def test_make_help_lists_every_target() -> None:
    makefile = (REPOSITORY / "Makefile").read_text()
    targets = set(re.findall(r"^\.PHONY: (\w+)$", makefile, re.MULTILINE))
    command = ["make", "--no-print-directory", "help"]
    told = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert {line.split()[1] for line in told.stdout.splitlines()} == targets
