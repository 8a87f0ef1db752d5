"""The key that our own page shows where there is no authentication."""

import re
from pathlib import Path

# It stands in quotes in a Lua script.
_KEY = re.compile(r"[A-Za-z0-9_-]{32,256}")


def of(file: Path) -> str:
    """Return the key in the file; raises OSError, and ValueError for what is none."""
    key = file.read_text().strip()
    if not _KEY.fullmatch(key):
        raise ValueError("has no key of 32 to 256 letters, digits, - and _")
    return key
