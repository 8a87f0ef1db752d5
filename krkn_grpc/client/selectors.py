"""Label selectors that something is done to, and not only shown."""


def not_blank(selector: str | None) -> str:
    """Return the selector, "" for all where it is left out; raises ValueError for a blank one.

    That of a variable that is not set would select all.
    """
    if selector is not None and not selector.strip():
        raise ValueError("the selector is blank: leave it out to select all")
    return selector or ""
