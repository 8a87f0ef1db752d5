"""Makes the generated OpenAPI document true, where its generator cannot know.

It knows paths, fields and their types. From the comments of the protos come the statuses and what
they mean, from openapi_values.yaml bounds and formats, from openapi_errors.yaml the error replies.
"""

import fnmatch
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import yaml
from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorSet
from openapi_components import ABOUT, HEADERS, HEADERS_OF_ERRORS, PARAMETERS, TOKEN
from openapi_second_verbs import POSTED, tell_apart, without_hidden
from openapi_text import errors, markdown, successes, summary

Tree: TypeAlias = dict[str, Any]

HERE = Path(__file__).parent
PACKAGE = "krkn.v1"
SCHEMAS, RESPONSES = "#/components/schemas/", "#/components/responses/"
JSON = "application/json"
STREAMS = {
    "StreamLogs": "text/plain",
    "StreamRunLogsAsText": "text/plain",
    "WatchScenarioRuns": "application/x-ndjson",
    "WatchTargets": "application/x-ndjson",
}
TEXT = {"schema": {"type": "string"}}
WRITES = (
    *("Create", "Update", "Patch", "Check", "Delete", "Discover", "Run", "Rerun", "Stop"),
    "Receive",
)
# A repetition of these finds what the first one has made.
REPEATED = ("CreateTarget", "RunScenario", "RerunRun")
# Of a body that another program defines: fields that are not known are passed over.
FOREIGN = {"ReceiveAlertsRequest", "Alert"}
# They read nothing that a caller writes.
WITHOUT_REVISION = ("ScenarioService_", "AccessService_")
OPEN = {"HealthService_GetHealth"}
# The calls whose reply can have the status of an error.
RUNS = ("ScenarioRunService_RunScenario", "ScenarioRunService_RerunRun")


def document(generated: Tree, protos: FileDescriptorSet, version: str) -> Tree:
    """Return the document that the generator would have made if it knew what we know."""
    messages = {
        message.name: message
        for file in protos.file
        if file.package == PACKAGE
        for message in file.message_type
    }
    requests_of = {
        f"{service.name}_{method.name}{posted}": method.input_type.rpartition(".")[2]
        for file in protos.file
        if file.package == PACKAGE
        for service in file.service
        for method in service.method
        for posted in ("", POSTED)
    }
    kinds: Tree = yaml.safe_load((HERE / "openapi_errors.yaml").read_text())
    schemas: Tree = generated["components"]["schemas"]
    # Of google.protobuf; openapi_values.yaml describes the fields that have such a type.
    for name in schemas.keys() - messages.keys():
        del schemas[name]
    _describe(generated)
    for calls in generated["paths"].values():
        for verb, operation in calls.items():
            message = messages[requests_of[operation["operationId"]]]
            calls[verb] = _corrected(without_hidden(operation, message), kinds)
        tell_apart(calls)
    bodies = set(_reachable(schemas, _bodies(generated)))
    _remove_path_fields(generated, schemas)
    for name, schema in schemas.items():
        _mark_deprecated(schema, messages[name])
        if name in bodies:
            _close(schema)
            if name in FOREIGN:
                del schema["additionalProperties"]
        else:
            _require_what_is_printed(schema, messages[name])
    _set_values(generated, requests_of)
    return {
        "openapi": generated["openapi"],
        "info": {
            "title": "krkn-grpc",
            "description": ABOUT,
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
            "version": version,
        },
        "servers": [{"url": "/"}],
        "security": [{"token": []}],
        "tags": generated["tags"][::-1],
        "paths": generated["paths"],
        "components": {
            "schemas": schemas | kinds["schemas"],
            "responses": {
                name: _error(status, kinds["responses"][name])
                for group in ("of_all", "of_calls_that_ask_who_calls", "of_calls_with_a_body")
                for status, name in kinds[group].items()
            },
            "headers": HEADERS,
            "parameters": PARAMETERS,
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": TOKEN},
            },
        },
    }


def _operations(generated: Tree) -> Iterator[Tree]:
    for path in generated["paths"].values():
        yield from path.values()


def _describe(node: Any) -> None:
    """Turn each description, which is a proto's comment, into Markdown."""
    if isinstance(node, list):
        for item in node:
            _describe(item)
    elif isinstance(node, dict):
        for key, value in node.items():
            if key == "description" and isinstance(value, str):
                node[key] = markdown(value)
            else:
                _describe(value)


def _corrected(operation: Tree, kinds: Tree) -> Tree:
    """Return an operation with its statuses, its headers and a title."""
    name, description = operation["operationId"], operation["description"]
    method = name.rpartition("_")[2]
    is_write = method.startswith(WRITES)
    is_open = name in OPEN
    ((kind, content),) = operation["responses"]["200"]["content"].items()
    good: Tree = {"description": "OK", "content": {STREAMS.get(method, kind): content or TEXT}}
    if is_write:
        good["headers"] = {"krkn-revision": {"$ref": "#/components/headers/Revision"}}
    if method in REPEATED:
        good["headers"]["krkn-repeated"] = {"$ref": "#/components/headers/Repeated"}
    if method == "StreamLogs":
        good["headers"] = {"krkn-log": {"$ref": "#/components/headers/Log"}}
    parameters = operation.get("parameters", [])
    if not is_write and not is_open and not name.startswith(WITHOUT_REVISION):
        parameters = [*parameters, {"$ref": "#/components/parameters/Revision"}]

    shared: Tree = dict(kinds["of_all"])
    if not is_open:
        shared |= kinds["of_calls_that_ask_who_calls"]
    if "requestBody" in operation:
        shared |= kinds["of_calls_with_a_body"]
    responses = {status: dict(good) for status in successes(description)}
    responses |= {status: {"$ref": RESPONSES + kind} for status, kind in shared.items()}
    responses |= {status: _error(status, says) for status, says in errors(description).items()}
    if name in RUNS:
        _tell_of_runs(responses, content["schema"], kinds)
    parts = {
        "tags": operation["tags"],
        "operationId": name,
        "security": [] if is_open else None,
        "summary": summary(description),
        "description": description,
        "parameters": parameters or None,
        "requestBody": operation.get("requestBody"),
        "responses": dict(sorted(responses.items())),
    }
    return {part: value for part, value in parts.items() if value is not None}


def _error(status: str, meaning: str) -> Tree:
    response: Tree = {
        "description": meaning,
        "content": {JSON: {"schema": {"$ref": f"{SCHEMAS}Error"}}},
    }
    if (name := HEADERS_OF_ERRORS.get(status)) is not None:
        reference = f"#/components/headers/{name.replace('-', '')}"
        response["headers"] = {name: {"$ref": reference}}
    return response


def _tell_of_runs(responses: Tree, reply: Tree, kinds: Tree) -> None:
    if "200" in responses:
        responses["200"]["description"] = (
            "With validateOnly: what a run would answer. Nothing is made."
        )
    responses["201"]["description"] = "At least one job was created."
    failed = _error("500", f"No job was created. Or {kinds['responses']['Internal']}")
    failed["content"][JSON]["schema"] = {"oneOf": [reply, {"$ref": f"{SCHEMAS}Error"}]}
    responses["500"] = failed


def _bodies(generated: Tree) -> Iterator[str]:
    for operation in _operations(generated):
        if "requestBody" in operation:
            yield operation["requestBody"]["content"][JSON]["schema"]["$ref"].removeprefix(SCHEMAS)


def _reachable(schemas: Tree, names: Iterable[str]) -> Iterator[str]:
    for name in names:
        yield name
        yield from _reachable(schemas, _references(schemas[name]))


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, list):
        for item in node:
            yield from _references(item)
    elif isinstance(node, dict):
        if isinstance(reference := node.get("$ref"), str):
            yield reference.removeprefix(SCHEMAS)
        for value in node.values():
            yield from _references(value)


def _remove_path_fields(generated: Tree, schemas: Tree) -> None:
    """Take out of a body what the path has: there it is not known, so it is refused."""
    for operation in _operations(generated):
        if "requestBody" not in operation:
            continue
        reference = operation["requestBody"]["content"][JSON]["schema"]["$ref"]
        schema = schemas[reference.removeprefix(SCHEMAS)]
        for parameter in operation.get("parameters", []):
            if parameter.get("in") == "path":
                del schema["properties"][parameter["name"]]
                schema["required"].remove(parameter["name"])
        if not schema.get("required", True):
            del schema["required"]


def _mark_deprecated(schema: Tree, message: DescriptorProto) -> None:
    for field in message.field:
        if field.options.deprecated and field.json_name in schema["properties"]:
            schema["properties"][field.json_name]["deprecated"] = True


def _close(schema: Tree) -> None:
    """Refuse unknown fields, as Envoy does; say that null stands for a field that is left out."""
    schema["additionalProperties"] = False
    for name, field in schema["properties"].items():
        if name not in schema.get("required", ()):
            field["nullable"] = True


def _require_what_is_printed(schema: Tree, message: DescriptorProto) -> None:
    """Require what a reply always has: all but what is optional or a message."""
    schema["required"] = [field.json_name for field in message.field if _is_printed(field)]


def _is_printed(field: FieldDescriptorProto) -> bool:
    is_one_message = (
        field.type == FieldDescriptorProto.TYPE_MESSAGE
        and field.label != FieldDescriptorProto.LABEL_REPEATED
    )
    return not (field.proto3_optional or is_one_message)


def _set_values(generated: Tree, requests_of: Mapping[str, str]) -> None:
    values: Tree = yaml.safe_load((HERE / "openapi_values.yaml").read_text())
    fields = dict(_fields(generated, requests_of))
    for pattern, said in values.items():
        names = [name for name in fields if fnmatch.fnmatchcase(name, pattern.replace("[", "[[]"))]
        if not names:
            raise LookupError(f"openapi_values.yaml: there is no field {pattern}")
        for name in names:
            for schema in fields[name]:
                schema.update(said)
                for key in [key for key, value in said.items() if value is None]:
                    del schema[key]


def _fields(generated: Tree, requests_of: Mapping[str, str]) -> Iterator[tuple[str, list[Tree]]]:
    """Return the schemas of each field, of bodies and replies as of paths and queries."""
    found: dict[str, list[Tree]] = {}
    for name, schema in generated["components"]["schemas"].items():
        for field, of in schema["properties"].items():
            found.setdefault(f"{name}.{field}", []).append(of)
            if "items" in of:
                found.setdefault(f"{name}.{field}[]", []).append(of["items"])
    for operation in _operations(generated):
        for parameter in operation.get("parameters", []):
            if "$ref" in parameter:
                continue
            name = f"{requests_of[operation['operationId']]}.{parameter['name']}"
            found.setdefault(name, []).append(parameter["schema"])
    return iter(found.items())
