"""The groups of figures, in the order in which they are measured."""

GROUPS = ("submit", "start", "halt", "runs", "writes", "cpu", "hole", "scale")

# Only when they are asked for: each takes long.
MORE = ("scale_more", "simulation")
