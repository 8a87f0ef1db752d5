"""The door's reader of JSON, held against two others: Python's own and protobuf's.

It runs in LuaJIT as in Envoy, but without Envoy, on texts that are made up or broken at random.
"""

import json
import re
from functools import cache
from typing import Any

import pytest
from google.protobuf import json_format
from hypothesis import example, given
from hypothesis import strategies as st
from lupa import luajit21  # type: ignore[import-untyped]

from krkn_grpc.edge.http_rules import DESCRIPTOR_SET, RestApi
from krkn_grpc.edge.limits import MAX_BODY_BYTES
from krkn_grpc.edge.lua_script import PageLimits, UploadLimits, WebRules, lua_script
from krkn_grpc.v1 import scenario_runs_pb2 as runs

RUN_PATH = "/api/v1/scenarios/run"

# What Envoy's handle offers, for one request.
HARNESS = b"""
return function(path, text)
  local status
  local headers = {[":path"] = path, [":method"] = "POST", ["content-type"] = "application/json"}
  local methods = {}
  function methods:get(name) return self[name] end
  function methods:remove(name) self[name] = nil end
  function methods:replace(name, value) self[name] = value end
  setmetatable(headers, {__index = methods})
  local metadata, info, body, handle = {}, {}, {}, {}
  function metadata:set() end
  function metadata:get() return {bucket = "127.0.0.1"} end
  function info:dynamicMetadata() return metadata end
  function body:length() return #text end
  function body:getBytes() return text end
  function handle:headers() return headers end
  function handle:streamInfo() return info end
  function handle:body() return body end
  function handle:trailers() return nil end
  function handle:logErr(message) error(message) end
  function handle:respond(reply, content) status = content; coroutine.yield() end
  coroutine.wrap(function() envoy_on_request(handle) end)()
  return status
end
"""


@cache
def door() -> Any:
    script = lua_script(
        RestApi(DESCRIPTOR_SET.read_bytes()),
        pages=(),
        max_body_bytes=MAX_BODY_BYTES,
        uploads=UploadLimits(2 * MAX_BODY_BYTES, 2 * MAX_BODY_BYTES, 1),
        given_out=PageLimits(0, 0, 1),
        web=WebRules(local_only=False),
    )
    lua = luajit21.LuaRuntime(encoding=None)
    lua.execute(script.encode())
    return lua.execute(HARNESS)


def refusal(text: bytes) -> dict[str, Any] | None:
    """Return what the door says of a run with this body; None when it lets it pass."""
    reply = door()(RUN_PATH.encode(), text)
    if reply is None:
        return None
    decoded: dict[str, Any] = json.loads(reply)
    return decoded


def is_json(text: bytes) -> bool:
    """Say whether Python reads a text as JSON, NaN and half surrogate pairs left aside."""

    def refuse(_: object) -> None:
        raise ValueError

    try:
        value = json.loads(text.decode("utf-8"), parse_constant=refuse)
        # Half a surrogate pair cannot be written as UTF-8.
        json.dumps(value, ensure_ascii=False).encode()
    except ValueError:
        return False
    return True


def is_refused_as_no_json(text: bytes) -> bool:
    said = refusal(text)
    return said is not None and "is not JSON" in said["message"]


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)
fields = st.fixed_dictionaries(
    {},
    optional={
        "targetUUIDs": st.lists(st.text()),
        "scenario_name": st.text(),
        "environment": st.dictionaries(st.text(), st.text()),
        "secretEnvironment": st.none(),
        "files": st.lists(
            st.fixed_dictionaries({}, optional={"name": st.text(), "mount_path": st.text()})
        ),
        "skipTls": st.booleans(),
        "timeoutSeconds": st.integers(-(2**31), 2**31 - 1) | st.just(1e3),
    },
)
# Bytes that mean something, to break a text with.
pieces = st.sampled_from(
    [bytes([b]) for b in b'{}[]",:\\ \n\t0159.eE+-untrfalsx/*\x00\x1f\x7f\xc3\xa4\xed\xa0\xf4\xff']
)


def encoded(value: object, *, as_ascii: bool, spread: bool) -> bytes:
    return json.dumps(value, ensure_ascii=as_ascii, indent=1 if spread else None).encode()


def broken(text: bytes, edits: list[tuple[float, int, bytes]]) -> bytes:
    for where, removed, added in edits:
        at = int(where * len(text))
        text = text[:at] + added + text[at + removed :]
    return text


edits = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 2), pieces), min_size=1, max_size=3)


@given(values, st.booleans(), st.booleans())
def test_all_json_is_read(value: object, as_ascii: bool, spread: bool) -> None:
    assert not is_refused_as_no_json(encoded(value, as_ascii=as_ascii, spread=spread))


@given(values, edits, st.booleans())
@example({"a": [[]]}, [(0.5, 0, b",")], True)
def test_nothing_else_is(
    value: object, changes: list[tuple[float, int, bytes]], as_ascii: bool
) -> None:
    text = broken(encoded(value, as_ascii=as_ascii, spread=False), changes)
    if text:
        assert is_refused_as_no_json(text) is not is_json(text)


@given(st.binary(min_size=1))
def test_whatever_comes_has_an_answer(text: bytes) -> None:
    assert is_refused_as_no_json(text) is not is_json(text)


@given(fields, st.booleans(), st.booleans())
def test_what_fits_the_message_passes(value: dict[str, Any], as_ascii: bool, spread: bool) -> None:
    assert refusal(encoded(value, as_ascii=as_ascii, spread=spread)) is None


@given(fields, edits)
def test_what_passes_is_read_the_same_by_protobuf(
    value: dict[str, Any], changes: list[tuple[float, int, bytes]]
) -> None:
    text = broken(encoded(value, as_ascii=False, spread=False), changes)
    if text and refusal(text) is None:
        json_format.Parse(text, runs.RunScenarioRequest())


@given(st.text(), values)
def test_an_unknown_field_never_passes(name: str, value: object) -> None:
    known = {
        n
        for field in runs.RunScenarioRequest.DESCRIPTOR.fields
        for n in (field.name, field.json_name)
    }
    if name in known:
        return
    text = encoded({name: value}, as_ascii=True, spread=False)
    said = refusal(text)
    assert said is not None
    (violation,) = said["details"][1]["fieldViolations"]
    assert violation["field"] == _shown(name)


def _shown(name: str) -> str:
    data = name.encode()
    return name if len(data) <= 100 else data[:100].decode(errors="ignore") + "..."


@pytest.mark.parametrize("around", [b'{"a":%b}', b'{"files":[{"a":%b}]}', b'{"labels":%b}', b"%b"])
def test_depth_has_a_limit(around: bytes) -> None:
    def nested(depth: int) -> bytes:
        return around % (b"[" * depth + b"]" * depth)

    assert not is_refused_as_no_json(nested(30))
    assert is_refused_as_no_json(nested(40))


def test_every_body_knows_its_own_fields() -> None:
    for call in RestApi(DESCRIPTOR_SET.read_bytes()).calls:
        for field in call.body or ():
            path = re.sub(r"{\w+}", "x", call.path).encode()
            if call.verb != "POST":
                continue
            for name in (field.name, field.proto):
                assert door()(path, json.dumps({name: None}).encode()) is None
