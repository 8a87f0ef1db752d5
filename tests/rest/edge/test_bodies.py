"""What the door refuses of JSON bodies: it names what is wrong and repeats no value."""

import json
from collections.abc import Iterator

import httpx
import pytest

from tests.rest.edge.running import Door, is_error, violations

JOB = "0b5e3a8e-9d64-4f63-9d5d-f2c6c60b0a6e"
RUN = "/api/v1/scenarios/run"
TARGETS = "/api/v1/operator/targets"
JSON = {"content-type": "application/json"}


@pytest.fixture(autouse=True)
def nothing_reaches_the_server(door: Door) -> Iterator[None]:
    door.upstream.reset()
    yield
    assert door.upstream.calls == []


NO_INT = "must be a whole number of at most 32 bits"
BODIES: list[tuple[str, dict[str, str]]] = [
    ('{"skipTLS": true}', {"skipTLS": "is not a known field; did you mean skipTls?"}),
    ('{"targetUUID": "x"}', {"targetUUID": "is not a known field; did you mean targetUUIDs?"}),
    ('{"clusterName": "x"}', {"clusterName": "is not a known field"}),
    ('{"\\u0073kipTls": true, "skipTls": false}', {"skipTls": "is given twice"}),
    ('{"targetUUIDs": [], "target_uuids": []}', {"targetUUIDs": "is given twice"}),
    ('{"files": [{}, {"path": ""}]}', {"files[1].path": "is not a known field"}),
    ('{"files": [{"name": "", "name": ""}]}', {"files[0].name": "is given twice"}),
    ('{"environment": {"A": "", "\\u0041": ""}}', {"environment.A": "is given twice"}),
    ('{"environment": {"A": null}}', {"environment.A": "must be a string"}),
    ('{"labels": {"a": "", "b": 1}}', {"labels.b": "must be a string"}),
    ('{"environment": []}', {"environment": "must be an object"}),
    ('{"files": {}}', {"files": "must be an array"}),
    ('{"files": [[]]}', {"files[0]": "must be an object"}),
    ('{"targetUUIDs": "x"}', {"targetUUIDs": "must be an array"}),
    ('{"targetUUIDs": [null]}', {"targetUUIDs[0]": "must be a string"}),
    ('{"scenarioName": 5}', {"scenarioName": "must be a string"}),
    ('{"scenarioName": {"a": [1]}}', {"scenarioName": "must be a string"}),
    ('{"skipTls": "yes"}', {"skipTls": "must be true or false"}),
    ('{"skipTls": 1}', {"skipTls": "must be true or false"}),
    ('{"timeoutSeconds": "5"}', {"timeoutSeconds": NO_INT}),
    ('{"timeoutSeconds": 5.5}', {"timeoutSeconds": NO_INT}),
    ('{"timeoutSeconds": 1e99}', {"timeoutSeconds": NO_INT}),
    ('{"timeoutSeconds": -2147483649}', {"timeoutSeconds": NO_INT}),
    ('{"@type": "x"}', {"@type": "is not a known field"}),
    ('{"": ""}', {"": "is not a known field"}),
    ('{"näme": ""}', {"näme": "is not a known field"}),
    ('{"\\ud83d\\ude00": "", "a\\u0000\\n": ""}', {
        "\U0001f600": "is not a known field", "a\0\n": "is not a known field"}),
    ("[]", {"": "must be an object"}),
    ("null", {"": "must be an object"}),
    ('"x"', {"": "must be an object"}),
]  # fmt: skip


@pytest.mark.parametrize(("body", "expected"), BODIES)
def test_body(client: httpx.Client, body: str, expected: dict[str, str]) -> None:
    response = client.post(RUN, content=body.encode(), headers=JSON)
    assert violations(is_error(response, 400, 3)) == expected


def test_the_path_says_which_target(client: httpx.Client) -> None:
    response = client.put(f"{TARGETS}/{JOB}", json={"uuid": JOB})
    assert violations(is_error(response, 400, 3)) == {"uuid": "is not a known field"}


NOT_JSON = [
    b"{",
    b"{}}",
    b"{} {}",
    b'{"a": 1,}',
    b'{"a" 1}',
    b"{a: 1}",
    b"{'a': 1}",
    b'{"a": 01}',
    b'{"a": .5}',
    b'{"a": 1.}',
    b'{"a": +1}',
    b'{"a": NaN}',
    b'{"a": True}',
    b'{"a": [1,]}',
    b'{"a": [}',
    b'{"a": "\x01"}',
    b'{"a": "\\x"}',
    b'{"a": "\\u12g4"}',
    b'{"a": "\\ud800"}',
    b'{"a": "\\udc00\\ud800"}',
    b'{"a": "\xff"}',
    b'{"a": "\xc0\x80"}',
    b'{"a": "\xed\xa0\x80"}',
    b'{"a": "\xf4\x90\x80\x80"}',
    b'{"a": "x',
    b'{"a": /**/ 1}',
    b"\xef\xbb\xbf{}",
    b"\xff\xfe{\x00}\x00",
    b" ",
    b"\x00",
    b'{"a":' + b"[" * 100_000,
    b'{"a":' * 100 + b"1" + b"}" * 100,
]


@pytest.mark.parametrize("body", NOT_JSON, ids=lambda body: ascii(body[:20]))
def test_not_json(client: httpx.Client, body: bytes) -> None:
    response = client.post(RUN, content=body, headers=JSON)
    message = is_error(response, 400, 3)["message"]
    assert message.startswith("request body: is not JSON: ")


def test_a_byte_order_mark_is_named(client: httpx.Client) -> None:
    response = client.post(RUN, content=b"\xef\xbb\xbf{}", headers=JSON)
    assert is_error(response, 400, 3)["message"] == (
        "request body: is not JSON: it begins with a byte order mark (byte 1)"
    )


def test_no_value_is_repeated(client: httpx.Client) -> None:
    for body in (
        b'{"password": "hunter2"',
        b'{"password": ["hunter2"]}',
        b'{"password": hunter2}',
        b'{"skipTls": "hunter2", "timeoutSeconds": "hunter2"}',
        b'{"environment": {"A": ["hunter2"]}}',
    ):
        assert "hunter2" not in client.post(RUN, content=body, headers=JSON).text


def test_at_most_twenty_violations_are_listed(client: httpx.Client) -> None:
    body = is_error(client.post(RUN, json={f"field{n}": n for n in range(50)}), 400, 3)
    assert len(violations(body)) == 20
    assert body["message"] == "field0: is not a known field (and 49 more, 50 in all)"


def test_more_entries_than_any_call_may_have(client: httpx.Client) -> None:
    response = client.post(RUN, content=json.dumps({"targetUUIDs": [""] * 20_001}), headers=JSON)
    assert "more than 20000 entries" in is_error(response, 400, 3)["message"]


def test_a_long_name_is_cut(client: httpx.Client) -> None:
    body = is_error(client.post(RUN, json={"ä" * 1000: 1}), 400, 3)
    assert list(violations(body)) == ["ä" * 50 + "..."]
