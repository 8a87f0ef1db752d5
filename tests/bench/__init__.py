"""What the service costs and how fast it is, against a bare loop that makes the same writes.

`make bench` runs all groups of `groups`, `make bench ARGS="submit start"` some of them. Each group
is a module with `async def measure(bench: Bench) -> list[Row]`. Absolute figures are the machine's;
ratios are measured in turn in the same run, so that they mean something on a busy one too.
"""
