"""The length limits of a status's texts, as in the CRDs, and functions that apply them.

Such a text may repeat text of a node, of a scheduler, or of the caller that registered a target.
"""

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType

import msgspec

from krkn_grpc.resources.meta import Condition

# By the path in the status of a job or a target, in characters. Texts are cut by bytes: no text has
# more characters than bytes.
LONGEST: Mapping[str, int] = MappingProxyType(
    {"reason": 256, "message": 4_096, "conditions[].reason": 1_024, "conditions[].message": 32_768}
)

_CUT = "..."
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9]{0,63}")
_NO_WORD = "Unknown"
_NO_SENTENCE = "The API server refused the text that says why."


def cut(text: str, most: int, mark: str = _CUT) -> str:
    """Return the text; if it has more than `most` bytes of UTF-8, cut to that, ending with `mark`.

    No character is cut in two.
    """
    encoded = text.encode(errors="replace")
    if len(encoded) <= most:
        return text
    return encoded[: most - len(mark)].decode(errors="ignore") + mark


def fitting_reason(reason: str, path: str = "reason") -> str:
    """Return the reason, cut to the limit of the field at `path`."""
    return cut(reason, LONGEST[path], mark="")


def fitting_message(message: str, path: str = "message") -> str:
    """Return the sentence, cut to the limit of the field at `path`."""
    return cut(message, LONGEST[path])


def plain_reason(reason: str) -> str:
    """Return the reason if it is one short word or empty, else `Unknown`."""
    return reason if not reason or _WORD.fullmatch(reason) else _NO_WORD


def plain_message(message: str) -> str:
    """Return a fixed sentence in place of this one, unless this one is empty."""
    return _NO_SENTENCE if message else ""


def plain_conditions(conditions: Iterable[Condition]) -> list[Condition]:
    """Return the conditions without text from other sources."""
    return [
        msgspec.structs.replace(
            each, reason=plain_reason(each.reason), message=plain_message(each.message)
        )
        for each in conditions
    ]


def bounded(condition: Condition) -> Condition:
    """Return the condition with its texts cut to the limits of the CRDs."""
    return msgspec.structs.replace(
        condition,
        reason=fitting_reason(condition.reason, "conditions[].reason"),
        message=fitting_message(condition.message, "conditions[].message"),
    )
