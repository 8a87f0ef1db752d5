"""One mapping of a kubeconfig with its path: typed access that records violations."""

from collections.abc import Iterable, Mapping
from typing import Self

from krkn_grpc.resources.kubeconfig.findings import Findings
from krkn_grpc.resources.kubeconfig.tree import FIELD_NAMES, Tree, child

_IN_SMALL_LETTERS = {name.lower(): name for name in FIELD_NAMES}


class Section:
    """A mapping and its path. Null and "" count as absent, as they do for kubectl."""

    def __init__(self, fields: Mapping[str, Tree], path: str, findings: Findings) -> None:
        self._fields = fields
        self._findings = findings
        self.path = path

    @classmethod
    def of(cls, value: Tree, path: str, findings: Findings) -> Self | None:
        """Return the value as a section, or None (noted) if it is not a mapping."""
        if isinstance(value, dict):
            return cls(value, path, findings)
        findings.add(path, "It must be a mapping of fields.")
        return None

    def has(self, key: str) -> bool:
        """Whether the field is present and not empty."""
        return self._fields.get(key) not in (None, "")

    def text(self, key: str) -> str | None:
        """Return the text of a field; None if it is absent or (noted) not text."""
        value = self._fields.get(key)
        if not self.has(key):
            return None
        if isinstance(value, str):
            return value
        self.note(key, "It must be text; write it in quotes.")
        return None

    def required_text(self, key: str) -> str | None:
        """Return the text of a field; None if it is (noted) absent or not text."""
        if not self.has(key):
            self.note(key, "It is required.")
        return self.text(key)

    def flag(self, key: str) -> bool:
        """Return a boolean field; false if it is absent or (noted) not a boolean."""
        value = self._fields.get(key)
        if value is None or isinstance(value, bool):
            return value is True
        self.note(key, "It must be true or false.")
        return False

    def entry(self, key: str, name: str, inner: str) -> "Section | None":
        """Return the mapping `inner` of the entry `name` in the list `key`; None if noted."""
        value = self._fields.get(key)
        path = child(self.path, key)
        if not isinstance(value, list):
            self._findings.add(path, "It must be a list of named entries.")
            return None
        found = [
            (f"{path}[{index}]", entry)
            for index, entry in enumerate(value)
            if isinstance(entry, dict) and entry.get("name") == name
        ]
        if not found:
            self._findings.add(path, f"The {inner} that is to be used is not among them.")
            return None
        if len(found) > 1:
            self._findings.add(found[1][0], "Two entries have the same name.")
            return None
        [(path, entry)] = found
        return Section.of(entry.get(inner), child(path, inner), self._findings)

    def refuse_other_than(self, known: Iterable[str]) -> None:
        """Note a violation for each unknown field.

        kubectl ignores such fields. But one may select the user or the connection, and ignoring it
        would silently use another identity.
        """
        known = frozenset(known)
        for key in self._fields.keys() - known:
            self._findings.add(self._path_of_misspelt(key), "This field is not known here.")

    def note(self, key: str, sentence: str) -> None:
        """Note a violation of one field."""
        self._findings.add(child(self.path, key), sentence)

    def _path_of_misspelt(self, key: str) -> str:
        return child(self.path, _IN_SMALL_LETTERS.get(key.lower(), key))
