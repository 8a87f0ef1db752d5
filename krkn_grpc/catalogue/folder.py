"""Reads an administrator's folder of entries, such as a mounted ConfigMap.

Each file NAME.json is the entry of the scenario NAME; globals.json has the parameters of all
scenarios. A file that cannot be read is left out, and the reader says why.
"""

import os
import stat
from collections.abc import Hashable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from krkn_grpc.catalogue import entry
from krkn_grpc.catalogue.entry import Unreadable
from krkn_grpc.catalogue.model import Parameters, Scenario

MOST_FILES = 200
MOST_BYTES = 4 * 1024 * 1024
"""Bytes of all files together; a ConfigMap has at most a quarter of it."""
GLOBALS = "globals"
_SUFFIX = ".json"


class Skipped(NamedTuple):
    """A file that was left out, and why."""

    file: str
    why: str


@dataclass
class Reading:
    """The entries of a folder; `of_all` is None without a globals.json."""

    scenarios: dict[str, Scenario] = field(default_factory=dict)
    of_all: Parameters | None = None
    skipped: list[Skipped] = field(default_factory=list)


def signature(folder: Path) -> Hashable:
    """Return a value that is another one when the folder's files have changed; raises OSError."""
    return tuple((name, _stamp(folder / name)) for name in _names(folder)[: MOST_FILES + 1])


def read(folder: Path) -> Reading:
    """Return the folder's entries; raises OSError when the folder itself cannot be read."""
    reading, left = Reading(), MOST_BYTES
    names = _names(folder)
    for name in names[:MOST_FILES]:
        try:
            content = _content(folder / name)
            left -= len(content)
            if left < 0:
                raise Unreadable(f"the folder's files have more than {MOST_BYTES} bytes together")
            _add(reading, name.removesuffix(_SUFFIX), content)
        except OSError as error:
            reading.skipped.append(Skipped(name, error.strerror or type(error).__name__))
        except Unreadable as error:
            reading.skipped.append(Skipped(name, str(error)))
    if len(names) > MOST_FILES:
        why = f"the folder has more than {MOST_FILES} files: this one and those after it"
        reading.skipped.append(Skipped(names[MOST_FILES], why))
    return reading


def _add(reading: Reading, name: str, content: bytes) -> None:
    if name == GLOBALS:
        reading.of_all = entry.global_parameters(content)
    else:
        reading.scenarios[name] = entry.scenario(name, content, is_built_in=False)


def _names(folder: Path) -> list[str]:
    """Return the names of the entries' files. A ConfigMap's own folders begin with two dots."""
    with os.scandir(folder) as found:
        names = (each.name for each in found)
        return sorted(n for n in names if n.endswith(_SUFFIX) and not n.startswith("."))


def _stamp(file: Path) -> Hashable:
    try:
        found = file.stat()
    except OSError as error:
        return error.errno
    return (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)


def _content(file: Path) -> bytes:
    """Return a file's content, up to one byte more than an entry may have."""
    # Without O_NONBLOCK a pipe would hold the reader for ever.
    descriptor = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as opened:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise Unreadable("it is not a file")
        return opened.read(entry.LARGEST + 1)
