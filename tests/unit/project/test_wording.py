"""Words that had to be read twice do not come back, in code and in documents."""

import re
import subprocess

import pytest

from deploy.local.services import REPOSITORY

# The word, and what to write instead.
WORDS = {
    r"(?<!start )anew\b": "again, or new",
    r"\b[Ww]hoever\b": "a noun: the caller, a client",
    r"\b[Ww]homever\b": "a noun",
}
FOLDERS = ("krkn_grpc", "controller", "deploy", "docs", "envoy", "README.md", "CHANGELOG.md")


@pytest.mark.parametrize("word", WORDS)
def test_it_is_said_in_plain_english(word: str) -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", *FOLDERS],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    found = [
        f"{path}:{number}"
        for path in listed
        if path.endswith((".py", ".md", ".lua", ".j2", ".yaml"))
        for number, line in enumerate((REPOSITORY / path).read_text().splitlines(), 1)
        if re.search(word, line)
    ]
    assert not found, f"write {WORDS[word]}"
