"""Reads the comments of the protos: what the OpenAPI document says in words stands there."""

import re

_VALUE = re.compile(r" {2,}(`[^`]+`) +(.*)")
_ERROR = re.compile(r"([A-Z_]+ \(\d{3}\): .*)")
_BEHAVIOR = re.compile(r"^(Required|Optional|Output only)\. ")


def markdown(comment: str) -> str:
    """Return a comment as Markdown: its paragraphs unwrapped, its values and errors as lists."""
    blocks = [""]
    # The generator leaves the blank that follows the slashes, but for the first line's.
    for number, raw in enumerate(comment.splitlines()):
        line = raw if number == 0 else raw.removeprefix(" ")
        if not line:
            blocks.append("")
        elif value := _VALUE.fullmatch(line):
            blocks.append(f"- {value[1]}: {value[2]}")
        elif error := _ERROR.fullmatch(line):
            blocks.append(f"- {error[1]}")
        elif _ends(blocks[-1], line):
            blocks.append(line)
        else:
            blocks[-1] = f"{blocks[-1]} {line.strip()}".strip()
    return _BEHAVIOR.sub("", _joined(blocks))


def _ends(block: str, line: str) -> bool:
    """Say whether a line belongs no more to the block before it."""
    is_item, is_indented = block.startswith("- "), line.startswith("  ")
    return line.startswith("Authorised on:") or (
        is_item and not is_indented and block.endswith((".", ";"))
    )


def _joined(blocks: list[str]) -> str:
    """Put the items of a list under each other, and an empty line between all other blocks."""
    text = ""
    before = ""
    for block in filter(None, blocks):
        gap = "\n" if block.startswith("- ") and before.startswith("- ") else "\n\n"
        text += f"{gap if text else ''}{block}"
        before = block
    return text


def summary(description: str) -> str:
    """Return the first sentence, as far as a title needs it."""
    return re.split(r"[.:](?:\s|$)", description, maxsplit=1)[0]


def successes(description: str) -> list[str]:
    """Return the statuses that a call has when it went well."""
    return sorted(set(re.findall(r"OK \((2\d\d)\)", description)))


def errors(description: str) -> dict[str, str]:
    """Return what a call's own errors mean, by status."""
    found: dict[str, list[str]] = {}
    items = re.findall(r"^- ([A-Z_]+) \((\d{3})\): (.*)$", description, re.MULTILINE)
    for code, status, meaning in items:
        first_sentence = re.split(r"(?<=\.) ", meaning)[0]
        found.setdefault(status, []).append(f"`{code}`: {first_sentence}")
    return {status: "\n\n".join(meanings) for status, meanings in found.items()}
