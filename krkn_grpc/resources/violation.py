"""An error in one field of a request or of a kubeconfig in it."""

from typing import NamedTuple


class Violation(NamedTuple):
    """A field's JSON path, and the rule that it breaks; it repeats no submitted secret."""

    field: str
    description: str
