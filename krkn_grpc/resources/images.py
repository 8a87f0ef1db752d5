"""Rules for the images that may run: a running image has the target's credential.

An entry of the list is one of

    *                         every image
    sha256:<64 hex digits>    the image with this digest, wherever it is
    host                      every repository of a registry
    host/team/                every repository below
    host/team/app             this repository with any tag or digest, and repositories below it
    host/team/app:            this repository with any tag
    host/team/app:tag         this repository with this tag, and no digest beside it
    host/team/app@sha256:...  exactly this

and is compared as it is written. It begins with the registry's host, because the meaning of a
reference without one depends on the node.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple, Self

ALL = "*"
DEFAULT = ("quay.io/krkn-chaos/krkn-hub", "quay.io/krkn-chaos/krkn-hub-multiarch")
"""The repositories in which krkn-hub's images are published."""
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
# A first part without a dot or a port is not a host, except localhost.
_HOST = re.compile(r"([^/:]+\.[^/:]+|localhost|\[[0-9a-f:]+\])(:\d+)?|[^/:.]+:\d+")


# The grammar of a reference as a node has it (github.com/distribution/reference).
_LABEL = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?"
_PART = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_REFERENCE = re.compile(
    rf"(?:(?P<first>(?:{_LABEL}(?:\.{_LABEL})*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?)/)?"
    rf"(?P<path>{_PART}(?:/{_PART})*)"
    r"(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?"
    r"(?:@(?P<algorithm>[a-z0-9]+):(?P<digest>[0-9a-f]+))?"
)
_IMAGE_ID = re.compile(r"[0-9a-f]{64}")
_DIGITS = {"sha256": 64, "sha384": 96, "sha512": 128}
_LONGEST_REPOSITORY = 255


def is_reference(text: str) -> bool:
    """Whether a node would accept the text as an image reference."""
    parts = _REFERENCE.fullmatch(text)
    if parts is None or _IMAGE_ID.fullmatch(text):
        return False
    if parts["algorithm"] and len(parts["digest"]) != _DIGITS.get(parts["algorithm"]):
        return False
    first, repository = parts["first"] or "library", parts["path"]
    is_host = first == "localhost" or first != first.lower() or not {".", ":"}.isdisjoint(first)
    return len(repository if is_host else f"{first}/{repository}") <= _LONGEST_REPOSITORY


def is_hosted(name: str) -> bool:
    """Whether the name begins with a registry's host."""
    return _HOST.fullmatch(name.split("/", 1)[0]) is not None


def read(text: str) -> tuple[str, ...]:
    """Return the entries of a comma separated list; raises ValueError for an invalid entry."""
    given = tuple(part.strip() for part in text.split(",") if part.strip())
    for entry in given:
        if entry != ALL and not _DIGEST.fullmatch(entry) and not is_hosted(entry):
            raise ValueError(
                f"{entry!r} is not an image that can be allowed: it begins with its registry's "
                "host, or is sha256: with 64 digits, or *"
            )
    return given


def is_allowed(image: str, allowed: Iterable[str]) -> bool:
    """Whether the image is one of the allowed ones."""
    reference = _Reference.of(image)
    return any(_matches(reference, entry) for entry in allowed)


def repository_of(image: str) -> str:
    """Return an image's repository, with its registry's host and without tag and digest."""
    return _Reference.of(image).repository


class _Reference(NamedTuple):
    repository: str
    tag: str
    digest: str

    @classmethod
    def of(cls, text: str) -> Self:
        name, _, digest = text.partition("@")
        folder, slash, last = name.rpartition("/")
        last, _, tag = last.partition(":")
        return cls(f"{folder}{slash}{last}", tag, digest)

    def is_below(self, folder: str) -> bool:
        rest = self.repository.removeprefix(folder).split("/")
        return self.repository.startswith(folder) and not {"", ".", ".."} & set(rest)


def _matches(image: _Reference, entry: str) -> bool:
    if entry == ALL:
        return True
    if _DIGEST.fullmatch(entry):
        return image.digest == entry
    if "/" not in entry:
        return image.is_below(f"{entry}/")
    if entry.endswith("/"):
        return image.is_below(entry)
    allowed = _Reference.of(entry)
    if entry.endswith(":"):
        return image == allowed._replace(tag=image.tag) and image.tag != ""
    if allowed.digest:
        return (image.repository, image.digest) == (allowed.repository, allowed.digest)
    if allowed.tag:
        # If there is both a tag and a digest, the node uses only the digest.
        return image == allowed
    return image.repository == allowed.repository or image.is_below(f"{allowed.repository}/")
