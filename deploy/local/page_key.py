"""The key that our own page shows where there is no authentication."""

import secrets
from pathlib import Path

from deploy.local.services import Services

FILE = "page.key"


def new_page_key(folder: Path) -> Path:
    """Write a new key into the folder, in a file that only this user can read; return the file."""
    file = folder / FILE
    file.touch(mode=0o600)
    file.write_text(secrets.token_urlsafe(32))
    return file


def page_url(services: Services) -> str:
    """Return the address to open the page by, with its key if there is one; empty for no page.

    The key is behind the #: a browser sends that to nobody.
    """
    if services.options.page is None:
        return ""
    file = services.options.page_key_file
    return f"{services.rest_url}/" + (f"#token={file.read_text()}" if file else "")
