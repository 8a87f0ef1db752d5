"""HTML as a tree of elements: a text in it is a text, whatever is in it. Pure.

The standard library writes the tree, and escapes each text and attribute on its way.
"""

from typing import TypeAlias
from xml.etree import ElementTree as ET

Element: TypeAlias = ET.Element
Content: TypeAlias = "str | Element | None"

# A line break after each of these changes nothing, and makes the source readable.
_BLOCKS = frozenset(
    (
        *("head", "meta", "title", "style", "body", "header", "main", "footer", "section", "nav"),
        *("h1", "h2", "h3", "p", "ul", "li", "dl", "div", "details", "summary", "pre"),
        *("table", "caption", "thead", "tbody", "tr"),
    )
)


def e(tag: str, *content: Content, **attributes: str) -> Element:
    """Return an element; None in its content is left out.

    An attribute that is a word of Python has `_` behind it (`class_`); in others `_` is `-`.
    """
    made = ET.Element(tag)
    for name, value in attributes.items():
        made.set(name.rstrip("_").replace("_", "-"), value)
    last: Element | None = None
    for part in content:
        if isinstance(part, str):
            if last is None:
                made.text = (made.text or "") + part
            else:
                last.tail = (last.tail or "") + part
        elif part is not None:
            made.append(part)
            last = part
    if tag in _BLOCKS:
        made.tail = "\n"
    return made


def document(root: Element) -> str:
    """Return the text of a document in HTML."""
    return f"<!DOCTYPE html>\n{ET.tostring(root, encoding='unicode', method='html')}\n"
