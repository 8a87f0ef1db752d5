"""Which images may run: whoever runs one holds the target's credential meanwhile.

An entry of the list is one of

    *                        every image
    sha256:<64 hex digits>   the image with this digest, wherever it is
    host/team/app            this repository with any tag or digest, and repositories below it
    host/team/               every repository below
    host/team/app:tag        this repository with this tag, and no digest, which would count instead
    host/team/app@sha256:... exactly this

and is compared as it is written. It names the registry's host: a reference without one means
whatever the node makes of it.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple, Self

ALL = "*"
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
# A first part without a dot or a port is no host, but for this one.
_HOST = re.compile(r"[^/]*[.:][^/]*|localhost")


def entries(texts: Iterable[str]) -> tuple[str, ...]:
    """Return the entries as they are; raises ValueError for one that allows not what it seems."""
    given = tuple(texts)
    for entry in given:
        is_host = _HOST.fullmatch(entry.split("/", 1)[0]) is not None and "/" in entry
        if entry != ALL and not _DIGEST.fullmatch(entry) and not is_host:
            raise ValueError(
                f"{entry!r} is not an image that can be allowed: it starts with its registry's "
                "host and a slash, or is sha256: with 64 digits, or *"
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


def _matches(image: _Reference, entry: str) -> bool:
    if entry == ALL:
        return True
    if _DIGEST.fullmatch(entry):
        return image.digest == entry
    allowed = _Reference.of(entry)
    if allowed.digest:
        return (image.repository, image.digest) == (allowed.repository, allowed.digest)
    if allowed.tag:
        # Of a tag and a digest together, the node heeds only the digest.
        return image == allowed
    below = allowed.repository if entry.endswith("/") else f"{allowed.repository}/"
    is_below = image.repository.startswith(below) and len(image.repository) > len(below)
    return is_below or image.repository == allowed.repository
