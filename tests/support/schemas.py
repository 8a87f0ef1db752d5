"""Holds an object against the schema of a CRD, as the API server would, but for CEL."""

import re
from collections.abc import Iterator
from typing import Any

Schema = dict[str, Any]

_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
}


def faults(value: object, schema: Schema, at: str = "") -> Iterator[str]:
    """Yield a sentence for each point in which the API server would refuse or drop the value."""
    kinds = _TYPES[schema["type"]]
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        yield f"{at}: {value!r} is no {schema['type']}"
        return
    match value:
        case str():
            yield from _text_faults(value, schema, at)
        case list():
            yield from _bounds(len(value), schema, "minItems", "maxItems", at)
            for index, item in enumerate(value):
                yield from faults(item, schema["items"], f"{at}[{index}]")
        case dict():
            yield from _object_faults(value, schema, at)
        case bool():
            return
        case int():
            yield from _bounds(value, schema, "minimum", "maximum", at)
            if schema.get("format") == "int32" and not -(2**31) <= value < 2**31:
                yield f"{at}: {value} has more than 32 bits"


def _text_faults(value: str, schema: Schema, at: str) -> Iterator[str]:
    yield from _bounds(len(value), schema, "minLength", "maxLength", at)
    if "pattern" in schema and not re.search(schema["pattern"], value):
        yield f"{at}: {value!r} does not match {schema['pattern']}"
    if "enum" in schema and value not in schema["enum"]:
        yield f"{at}: {value!r} is none of {schema['enum']}"


def _object_faults(value: dict[str, Any], schema: Schema, at: str) -> Iterator[str]:
    known = schema.get("properties", {})
    yield from (
        f"{at}.{name}: is required" for name in schema.get("required", ()) if name not in value
    )
    yield from _bounds(len(value), schema, "minProperties", "maxProperties", at)
    for name, item in value.items():
        if (of := known.get(name, schema.get("additionalProperties"))) is None:
            yield f"{at}.{name}: is not known, so it would be dropped"
        else:
            yield from faults(item, of, f"{at}.{name}")


def _bounds(size: int, schema: Schema, least: str, most: str, at: str) -> Iterator[str]:
    if not schema.get(least, size) <= size <= schema.get(most, size):
        yield f"{at}: {size} is not within {schema.get(least)} and {schema.get(most)}"
