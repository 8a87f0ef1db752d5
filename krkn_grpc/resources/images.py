"""Which images may run: whoever runs one holds the target's credential meanwhile.

An entry of the list is one of

    *                         every image
    sha256:<64 hex digits>    the image with this digest, wherever it is
    host                      every repository of a registry
    host/team/                every repository below
    host/team/app             this repository with any tag or digest, and repositories below it
    host/team/app:            this repository with any tag
    host/team/app:tag         this repository with this tag, and no digest beside it
    host/team/app@sha256:...  exactly this

and is compared as it is written. It begins with the registry's host, because a reference without
one means whatever the node makes of it.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple, Self

ALL = "*"
DEFAULT = ("quay.io/krkn-chaos/krkn-hub",)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
# A first part without a dot or a port is no host, but for this one.
_HOST = re.compile(r"([^/:]+\.[^/:]+|localhost|\[[0-9a-f:]+\])(:\d+)?|[^/:.]+:\d+")


def read(text: str) -> tuple[str, ...]:
    """Return the entries of a comma separated list; raises ValueError for one that is none."""
    given = tuple(part.strip() for part in text.split(",") if part.strip())
    for entry in given:
        is_hosted = _HOST.fullmatch(entry.split("/", 1)[0]) is not None
        if entry != ALL and not _DIGEST.fullmatch(entry) and not is_hosted:
            raise ValueError(
                f"{entry!r} is not an image that can be allowed: it begins with its registry's "
                "host, or is sha256: with 64 digits, or *"
            )
    return given


def is_allowed(image: str, allowed: Iterable[str]) -> bool:
    """Whether the image is one of the allowed ones."""
    reference = _Reference.of(image)
    return any(_matches(reference, entry) for entry in allowed)


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
        # Of a tag and a digest together, the node heeds only the digest.
        return image == allowed
    return image.repository == allowed.repository or image.is_below(f"{allowed.repository}/")
