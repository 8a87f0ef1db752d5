"""The CRDs and the typed resources say the same, field by field, in both directions."""

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
import yaml
from msgspec import inspect

from deploy.local.services import REPOSITORY
from krkn_grpc.resources.blackout import Blackout
from krkn_grpc.resources.chaos_job import ChaosJob
from krkn_grpc.resources.chaos_run import ChaosRun, ClaimedRun
from krkn_grpc.resources.halt import Halt
from krkn_grpc.resources.kept_log import KeptLog
from krkn_grpc.resources.meta import GROUP, VERSION, Resource
from krkn_grpc.resources.provider import Provider
from krkn_grpc.resources.target import Target
from krkn_grpc.resources.target_request import TargetRequest

CRDS = REPOSITORY / "deploy" / "crds"

Schema = dict[str, Any]

SHORT_NAMES: dict[type[Resource], str] = {
    Provider: "kotp",
    Target: "kot",
    TargetRequest: "ktr",
    ChaosJob: "kcj",
    Halt: "kch",
    Blackout: "kcb",
    ChaosRun: "kcr",
    KeptLog: "kcjl",
}
# Written once: nothing is ever said of it.
WITHOUT_STATUS: tuple[type[Resource], ...] = (KeptLog,)
# What another provider says of a cluster is kept, whatever it is.
OPEN = {".status.targetData[][]"}
# Read by a type of their own, which has nothing else.
APART: dict[type[Resource], dict[str, type[Resource]]] = {ChaosRun: {"status.claims": ClaimedRun}}
# Only defined here: other programs of the group read and write it.
FOREIGN = "krknoperatortargetproviderconfigs.yaml"
each_resource = pytest.mark.parametrize("resource", SHORT_NAMES, ids=lambda kind: kind.__name__)


def crd_of(resource: type[Resource]) -> Schema:
    """The CRD's `spec`, by the file name that follows from the plural."""
    crd: Schema = yaml.safe_load((CRDS / f"{resource.KIND.plural}.yaml").read_text())
    assert crd["metadata"]["name"] == f"{resource.KIND.plural}.{GROUP}"
    spec: Schema = crd["spec"]
    return spec


def schema_of(resource: type[Resource]) -> Schema:
    """The schema of the CRD's only version."""
    [version] = crd_of(resource)["versions"]
    schema: Schema = version["schema"]["openAPIV3Schema"]
    return schema


def parts_of(resource: type[Resource]) -> dict[str, inspect.StructType]:
    """`spec` and `status` of the typed resource."""
    whole = inspect.type_info(resource)
    assert isinstance(whole, inspect.StructType)
    return {
        field.encode_name: field.type
        for field in whole.fields
        if isinstance(field.type, inspect.StructType) and field.encode_name != "metadata"
    }


def disagreements(at: str, typed: inspect.Type, schema: Schema) -> Iterator[str]:
    """Yield a sentence for each point in which the type and the schema differ."""
    match typed:
        case inspect.StructType():
            yield from struct_disagreements(at, typed, schema)
        case inspect.DictType(value_type=value):
            yield from wrong_type(at, schema, "object")
            yield from disagreements(f"{at}.*", value, schema["additionalProperties"])
        case inspect.ListType(item_type=item):
            yield from wrong_type(at, schema, "array")
            yield from disagreements(f"{at}[]", item, schema["items"])
        case inspect.UnionType(types=types):
            [kind] = [kind for kind in types if not isinstance(kind, inspect.NoneType)]
            yield from disagreements(at, kind, schema)
        case inspect.LiteralType(values=values):
            # "" is our word for a field that is not there.
            if set(schema.get("enum", ())) != set(values) - {""}:
                yield f"{at}: {schema.get('enum')} is not {values}"
        case inspect.DateTimeType():
            if schema.get("format") != "date-time":
                yield f"{at}: not a date-time"
        case inspect.StrType():
            yield from wrong_type(at, schema, "string")
        case inspect.IntType():
            yield from wrong_type(at, schema, "integer")
        case inspect.FloatType():
            yield from wrong_type(at, schema, "number")
        case inspect.BoolType():
            yield from wrong_type(at, schema, "boolean")
        case _:
            yield f"{at}: no rule for {typed}"


def struct_disagreements(at: str, typed: inspect.StructType, schema: Schema) -> Iterator[str]:
    """Compare names, what is required, defaults, and then each field."""
    yield from wrong_type(at, schema, "object")
    fields = {field.encode_name: field for field in typed.fields}
    properties: Schema = schema["properties"]
    for name in fields.keys() ^ properties.keys():
        yield f"{at}.{name}: only in the {'type' if name in fields else 'schema'}"
    required = {name for name, field in fields.items() if field.required}
    if required != set(schema.get("required", ())):
        yield f"{at}: required are {sorted(required)} and {sorted(schema.get('required', ()))}"
    for name in fields.keys() & properties.keys():
        yield from disagreements(f"{at}.{name}", fields[name].type, properties[name])
        yield from default_disagreements(f"{at}.{name}", fields[name], properties[name])


def default_disagreements(at: str, field: inspect.Field, schema: Schema) -> Iterator[str]:
    """What a field is when nobody set it must be the same on both sides."""
    if field.required:
        return
    default = field.default
    if field.default_factory is not msgspec.NODEFAULT:
        default = field.default_factory()
    if isinstance(default, msgspec.Struct):
        # Its fields have their own defaults, which are compared one by one.
        default = None if default == type(default)() else default
    if default != schema.get("default", default) or (default and "default" not in schema):
        yield f"{at}: defaults are {default!r} and {schema.get('default')!r}"


def wrong_type(at: str, schema: Schema, expected: str) -> Iterator[str]:
    """Compare the plain type."""
    if schema.get("type") != expected:
        yield f"{at}: {schema.get('type')} is not {expected}"


def nodes(at: str, schema: Schema) -> Iterator[tuple[str, Schema]]:
    """Yield each part of a schema with its path; the outermost three fields are Kubernetes'."""
    yield at, schema
    for name, part in schema.get("properties", {}).items():
        if f"{at}.{name}" not in (".apiVersion", ".kind", ".metadata"):
            yield from nodes(f"{at}.{name}", part)
    for key in ("items", "additionalProperties"):
        if key in schema:
            yield from nodes(f"{at}[]", schema[key])


@each_resource
def test_type_and_schema_have_the_same_fields(resource: type[Resource]) -> None:
    schema = schema_of(resource)
    parts = parts_of(resource)
    assert set(parts) == ({"spec"} if resource in WITHOUT_STATUS else {"spec", "status"})
    found = [
        sentence
        for name, typed in parts.items()
        for sentence in disagreements(name, typed, schema["properties"][name])
    ]
    assert found == [f"{at}: only in the schema" for at in APART.get(resource, ())]


@pytest.mark.parametrize(
    ("resource", "at", "apart"),
    [(resource, at, kind) for resource, kinds in APART.items() for at, kind in kinds.items()],
)
def test_a_type_of_its_own_has_just_the_field_that_the_other_leaves_out(
    resource: type[Resource], at: str, apart: type[Resource]
) -> None:
    assert apart.KIND == resource.KIND
    part, field = at.split(".")
    [(name, typed)] = parts_of(apart).items()
    assert (name, [field]) == (part, [field.encode_name for field in typed.fields])
    schema = schema_of(resource)["properties"][part]["properties"][field]
    assert list(disagreements(at, typed.fields[0].type, schema)) == []


@pytest.mark.parametrize("resource", [each for each in SHORT_NAMES if each not in WITHOUT_STATUS])
def test_an_absent_status_means_the_same(resource: type[Resource]) -> None:
    schema = schema_of(resource)["properties"]["status"]
    status: Any = parts_of(resource)["status"].cls
    assert msgspec.convert(schema.get("default", {}), status) == status()


@each_resource
def test_the_kind_is_what_the_contract_says(resource: type[Resource]) -> None:
    crd = crd_of(resource)
    assert crd["group"] == GROUP
    assert crd["scope"] == "Namespaced"
    assert crd["names"]["kind"] == resource.KIND.name
    assert crd["names"]["plural"] == resource.KIND.plural
    assert crd["names"]["shortNames"] == [SHORT_NAMES[resource]]
    [version] = crd["versions"]
    assert version["name"] == VERSION
    subresources: Schema | None = None if resource in WITHOUT_STATUS else {"status": {}}
    assert version.get("subresources") == subresources
    assert version["additionalPrinterColumns"]


@each_resource
def test_every_field_is_described_and_bounded(resource: type[Resource]) -> None:
    bounds = {"string": "maxLength", "array": "maxItems"}
    for at, part in nodes("", schema_of(resource)):
        assert part.get("description"), f"{at} has no description"
        is_open = "x-kubernetes-preserve-unknown-fields" in part
        assert is_open == (at in OPEN), f"{at} takes everything"
        if part["type"] == "object" and "additionalProperties" in part:
            assert "maxProperties" in part, f"{at} has no end"
        if part["type"] in bounds and not {"enum", "format"} & part.keys():
            assert bounds[part["type"]] in part, f"{at} has no end"


def test_there_is_a_file_for_each_kind_and_no_other() -> None:
    names = {path.name for path in CRDS.glob("*.yaml")} - {"kustomization.yaml"}
    assert names == {*(f"{resource.KIND.plural}.yaml" for resource in SHORT_NAMES), FOREIGN}
