"""Where images are pulled from, in the place of the registries that they are named with.

Each mirror is `prefix=replacement`: both begin with a registry's host. A prefix ends where a part
of the image's name ends: `quay.io/krkn-chaos` stands for the repositories below it, and
`quay.io/krkn-chaos/krkn-hub` for that repository and those below it. The longest prefix counts.
"""

from collections.abc import Iterable

from krkn_grpc.resources.images import is_hosted, is_reference

Mirror = tuple[str, str]


def read(text: str) -> tuple[Mirror, ...]:
    """Return the mirrors of a comma separated list; raises ValueError for an invalid entry."""
    mirrors = tuple(_mirror(part.strip()) for part in text.split(",") if part.strip())
    prefixes = [prefix for prefix, _ in mirrors]
    if twice := next((prefix for prefix in prefixes if prefixes.count(prefix) > 1), None):
        raise ValueError(f"{twice!r} has two mirrors")
    return mirrors


def pulled_from(image: str, mirrors: Iterable[Mirror]) -> str:
    """Return the name by which a node pulls the image; tag and digest stay."""
    fitting = [mirror for mirror in mirrors if _is_below(image, mirror[0])]
    if not fitting:
        return image
    prefix, replacement = max(fitting, key=lambda mirror: len(mirror[0]))
    return replacement + image[len(prefix) :]


def _mirror(entry: str) -> Mirror:
    prefix, _, replacement = entry.partition("=")
    for name in (prefix, replacement):
        if not is_hosted(name) or not is_reference(f"{name}/image") or "@" in name:
            raise ValueError(
                f"{entry!r} is not prefix=replacement, each a registry's host with or without a "
                "path, such as quay.io/krkn-chaos=mirror.example/krkn"
            )
    return prefix, replacement


def _is_below(image: str, prefix: str) -> bool:
    # A host's prefix is followed by a path: what follows it after a colon is a port.
    ends = ("/",) if "/" not in prefix else ("/", ":", "@")
    return image == prefix or image.startswith(tuple(prefix + end for end in ends))
