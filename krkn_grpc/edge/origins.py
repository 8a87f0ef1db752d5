"""Origins of web pages, as an administrator lists them. Pure."""

import re

# As browsers send it: no path, no upper case, and no port that the scheme implies.
_ORIGIN = re.compile(
    r"(?:https://(?!.*:443$)|http://(?!.*:80$))"
    r"(?:[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::[1-9][0-9]{0,4})?"
)


def origins(given: object) -> object:
    """Return the origins of a list with commas; raises ValueError if an element is none."""
    listed = given.split(",") if isinstance(given, str) else given
    if not isinstance(listed, list | tuple):
        return listed
    wanted = tuple(str(origin).strip() for origin in listed if str(origin).strip())
    for origin in wanted:
        if not _ORIGIN.fullmatch(origin):
            raise ValueError(
                f"{origin!r} is not an origin: https:// or http://, a lower-case host, and a "
                "port if it is not the scheme's own; * and null would let every page in"
            )
    return wanted
