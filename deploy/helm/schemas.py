"""Schemas of the chart's values that are used more than once, and those of the settings."""

from collections.abc import Collection, Iterable
from pathlib import Path
from types import NoneType
from typing import Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt, MinLen
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

Schema = dict[str, Any]

DNS_LABEL = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"
DNS_NAME = r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"
WHOLE = "^(0|[1-9][0-9]*)$"

TEXTS: Schema = {"type": "object", "additionalProperties": {"type": "string"}}
OWN_LABELS: Schema = TEXTS | {
    # These are the chart's own: twice the same key is no YAML.
    "patternProperties": {r"^(app\.kubernetes\.io|helm\.sh)/": False}
}
QUANTITY: Schema = {
    "type": ["string", "number"],
    "pattern": "^[0-9]+(\\.[0-9]+)?(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?$",
}


def closed(properties: Schema, required: Collection[str] = ()) -> Schema:
    """Return the schema of an object that has these properties and no others."""
    more = {"required": list(required)} if required else {}
    return {"type": "object", "properties": properties, "additionalProperties": False, **more}


def listed(items: Schema) -> Schema:
    """Return the schema of a list."""
    return {"type": "array", "items": items}


QUANTITIES: Schema = {"type": "object", "additionalProperties": QUANTITY}
RESOURCES = closed(
    {"requests": QUANTITIES, "limits": QUANTITIES, "claims": listed({"type": "object"})}
)
TOLERATION = closed(
    {
        "key": {"type": "string"},
        "operator": {"enum": ["Exists", "Equal", "Lt", "Gt"]},
        "value": {"type": "string"},
        "effect": {"enum": ["NoSchedule", "PreferNoSchedule", "NoExecute"]},
        "tolerationSeconds": {"type": "integer"},
    }
)
AFFINITY = closed(
    {each: {"type": "object"} for each in ("nodeAffinity", "podAffinity", "podAntiAffinity")}
)
SPREAD = closed(
    {
        "maxSkew": {"type": "integer", "minimum": 1},
        "minDomains": {"type": "integer", "minimum": 1},
        "topologyKey": {"type": "string", "minLength": 1},
        "whenUnsatisfiable": {"enum": ["DoNotSchedule", "ScheduleAnyway"]},
        "labelSelector": {"type": "object"},
        "matchLabelKeys": listed({"type": "string"}),
        "nodeAffinityPolicy": {"enum": ["Honor", "Ignore"]},
        "nodeTaintsPolicy": {"enum": ["Honor", "Ignore"]},
    },
    ["maxSkew", "topologyKey", "whenUnsatisfiable"],
)

PARENT = closed(
    {
        **{
            key: {"type": "string"} for key in ("group", "kind", "name", "namespace", "sectionName")
        },
        "port": {"type": "integer", "minimum": 1, "maximum": 65535},
    },
    ["name"],
)


def of_settings(classes: Iterable[type[BaseSettings]], without: Collection[str]) -> Schema:
    """Return the schema of a map of environment variables that the processes read."""
    found: Schema = {}
    for settings in classes:
        prefix = settings.model_config.get("env_prefix", "")
        for name, field in settings.model_fields.items():
            # OpenTelemetry's own have its names.
            variable = name.upper() if field.validation_alias else f"{prefix}{name.upper()}"
            if variable not in without and variable not in found:
                found[variable] = of_setting(field)
    return closed(dict(sorted(found.items())))


def of_setting(field: FieldInfo) -> Schema:
    """Return the schema of one variable; a number may be given as text, as in a ConfigMap."""
    kinds = [each for each in get_args(field.annotation) if each is not NoneType]
    kind: Any = kinds[0] if NoneType in get_args(field.annotation) else field.annotation
    description = {"description": _sentence(field.description or "")}
    if get_origin(kind) is Union:
        return description | _number_or_word(*get_args(kind))
    if get_origin(kind) is Literal:
        return description | {"enum": list(get_args(kind))}
    if get_origin(kind) is tuple:
        return description | {"type": ["string", "array"], "items": {"type": "string"}}
    if kind is bool:
        return description | {"type": ["boolean", "string"], "pattern": "^(true|false)$"}
    if kind in (int, float):
        whole = kind is int
        return description | {
            "type": ["integer" if whole else "number", "string"],
            "pattern": WHOLE if whole else r"^[0-9]+(\.[0-9]+)?$",
            **_bounds(field),
        }
    if kind not in (str, Path):
        raise TypeError(f"no schema for {field.annotation}")
    least = [each.min_length for each in field.metadata if isinstance(each, MinLen)]
    return description | {"type": "string"} | ({"minLength": least[0]} if least else {})


def _number_or_word(number: Any, words: Any) -> Schema:
    """Return the schema of a whole number with bounds, or one of a few words."""
    _, bounds = get_args(number)
    words = "|".join(get_args(words))
    return {"type": ["integer", "string"], "pattern": f"^([0-9]+|{words})$", **_bounds(bounds)}


def _bounds(field: FieldInfo) -> Schema:
    bounds: Schema = {}
    for each in field.metadata:
        match each:
            case Ge(ge):
                bounds["minimum"] = ge
            case Gt(gt):
                bounds["exclusiveMinimum"] = gt
            case Le(le):
                bounds["maximum"] = le
            case Lt(lt):
                bounds["exclusiveMaximum"] = lt
    return bounds


def _sentence(text: str) -> str:
    said = " ".join(text.split()).rstrip(".")
    return f"{said[:1].upper()}{said[1:]}."
