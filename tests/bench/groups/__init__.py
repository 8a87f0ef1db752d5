"""The groups of figures, in the order in which they are measured."""

GROUPS = ("submit", "start", "writes", "cpu")
