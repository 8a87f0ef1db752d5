"""Which images a caller may run: whoever runs one holds the target's credential meanwhile."""

ALL = "*"
_BOUNDARIES = ("/", ":", "@")


def is_allowed(image: str, allowed: tuple[str, ...]) -> bool:
    """Whether the image is one of the allowed ones.

    An entry is `*`, a digest (`sha256:...`), or a prefix that ends where a part of the reference
    does: `host/team/app` allows `host/team/app:tag` and not `host/team/apple`.
    """
    return any(_matches(image, entry) for entry in allowed)


def _matches(image: str, entry: str) -> bool:
    if entry == ALL:
        return True
    if entry.startswith("sha256:"):
        return image.endswith(f"@{entry}")
    if not image.startswith(entry):
        return False
    rest = image[len(entry) :]
    return not rest or entry.endswith(_BOUNDARIES) or rest[0] in _BOUNDARIES
