"""Describes errors without credentials, even if a library puts them into its text."""

import re
import traceback

import aiohttp
import msgspec

_OURS = ("krkn_grpc.", "controller.")
_LONGEST = 500
_BLANK = "***"

# Patterns of credentials in text and in JSON, also with its quotes escaped once more.
_CREDENTIALS = (
    re.compile(r"(?i)(\b(?:bearer|basic)(?:\s|\\[nrt])+)[^\s\"'\\,;]{6,}"),
    re.compile(
        r"(?i)(\bauthorization\\*[\"']?\s*[:=,]\s*\\*[\"']?)(?!bearer|basic)[^\s\"'\\,;]{4,}"
    ),
    re.compile(
        r"(?i)(\\*[\"'](?:token|password|access_token|id_token|refresh_token)\\*[\"']\s*:\s*\\*[\"'])[^\"'\\]+"
    ),
    re.compile(r"()\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*"),
    re.compile(r"()-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*-----|$)", re.DOTALL),
    re.compile(r"(://)[^\s/@\"']+@"),
)


def told(error: BaseException) -> str:
    """Return an error's class, with its text if that is safe to log, else with its place.

    The `repr` and the text of another library's error may hold the request with all its headers;
    the texts of the project's own errors are written here.
    """
    if isinstance(error, BaseExceptionGroup):
        return "; ".join(map(told, error.exceptions))
    name = type(error).__name__
    match error:
        case aiohttp.ClientResponseError():
            # The message quotes what could not be read, which may be our own request sent back.
            text = f"{error.status} {error.message}"
        case OSError() | msgspec.MsgspecError():
            text = str(error)
        case _ if type(error).__module__.startswith(_OURS):
            text = str(error)
        case _:
            text = _place(error)
    text = " ".join(text.split())
    return without_credentials(f"{name}: {text[:_LONGEST]}" if text else name)


def _place(error: BaseException) -> str:
    """Return the place where it was raised, instead of a text from outside this project."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"in {frames[-1].name}, {frames[-1].filename}:{frames[-1].lineno}" if frames else ""


def without_credentials(text: str) -> str:
    """Return the text with what looks like a credential blanked."""
    for pattern in _CREDENTIALS:
        text = pattern.sub(rf"\1{_BLANK}", text)
    return text
