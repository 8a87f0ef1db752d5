"""What Envoy makes of a caller's trace context, with tracing and without."""

import asyncio
import secrets
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from krkn_grpc.resources.trace_context import CALLER_HEADER, Traceparent, parse
from tests.rest.edge.running import LOOPBACK, Door, check_health, open_door
from tests.support.collector import Span, collector
from tests.support.waiting import eventually

NOBODY = {"otel_exporter_otlp_endpoint": "http://127.0.0.1:9"}
"""Nobody takes the spans: calls must not notice."""


def caller_of() -> Traceparent:
    return Traceparent(secrets.token_hex(16), secrets.token_hex(8), True)


def reached(door: Door, **headers: str) -> dict[str, str]:
    """Call through Envoy, and return the metadata that came to the server."""
    door.upstream.reset()
    with door.client() as client:
        given = client.get("/api/v1/health", headers={"tracestate": "a=1", **headers})
        assert given.status_code == 200
    [call] = door.upstream.calls
    return call.metadata


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Door]]:
    """An Envoy for each way to treat traces."""
    wanted: dict[str, dict[str, Any]] = {
        "off": {},
        "off, trusted": {"trust_trace_headers": "on"},
        "on": NOBODY,
        "on, trusted": {**NOBODY, "trust_trace_headers": "on"},
        "never": {**NOBODY, "otel_traces_sampler": "parentbased_always_off"},
    }
    with ExitStack() as stack:
        yield {
            name: stack.enter_context(open_door(tmp_path_factory.mktemp("door"), **settings))
            for name, settings in wanted.items()
        }


def test_a_stranger_s_trace_is_told_and_not_continued(doors: dict[str, Door]) -> None:
    caller, forged = caller_of(), caller_of()
    for name in ("off", "on"):
        given = {"traceparent": str(caller), CALLER_HEADER: str(forged)}
        metadata = reached(doors[name], **given)
        assert metadata[CALLER_HEADER] == str(caller)
        assert "a=1" not in metadata.get("tracestate", "")
        own = parse(metadata.get("traceparent"))
        assert (own is None) == (name == "off")
        assert own is None or own.trace_id != caller.trace_id


def test_a_stranger_without_a_trace_names_none(doors: dict[str, Door]) -> None:
    for name in ("off", "on"):
        assert CALLER_HEADER not in reached(doors[name], **{CALLER_HEADER: str(caller_of())})


def test_a_trusted_caller_s_trace_is_continued(doors: dict[str, Door]) -> None:
    caller = caller_of()
    given = {"traceparent": str(caller), CALLER_HEADER: str(caller_of())}
    passed = reached(doors["off, trusted"], **given)
    assert (passed["traceparent"], passed["tracestate"]) == (str(caller), "a=1")
    continued = parse(reached(doors["on, trusted"], **given)["traceparent"])
    assert continued is not None
    assert continued.trace_id == caller.trace_id
    assert continued.span_id != caller.span_id
    assert CALLER_HEADER not in passed


def test_a_trace_that_is_not_to_be_recorded_says_so(doors: dict[str, Door]) -> None:
    own = parse(reached(doors["never"])["traceparent"])
    assert own is not None
    assert not own.is_sampled


def test_the_id_of_a_call_stays_as_its_caller_gave_it(doors: dict[str, Door]) -> None:
    # A proxy that retries sends the same, and the server knows the call by it.
    for given in ("00000000-0000-4000-8000-000000000000", "mine"):
        assert reached(doors["on"], **{"x-request-id": given})["x-request-id"] == given


def test_grpc_is_treated_alike(doors: dict[str, Door]) -> None:
    with doors["on"].channel() as channel:
        assert check_health(channel, (("traceparent", str(caller_of())),)) == 1


def test_calls_go_on_while_nobody_takes_the_spans(doors: dict[str, Door]) -> None:
    with doors["on"].client() as client:
        replies: list[httpx.Response] = [client.get("/api/v1/health") for _ in range(50)]
    assert {reply.status_code for reply in replies} == {200}


def test_calls_come_through_before_the_receiver_s_name_is_resolved(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind((LOOPBACK, 0))
        address = {"address": LOOPBACK, "port_value": silent.getsockname()[1]}
        resolver = {
            "name": "envoy.network.dns_resolver.cares",
            "typed_config": {
                "@type": "type.googleapis.com/"
                "envoy.extensions.network.dns_resolver.cares.v3.CaresDnsResolverConfig",
                "resolvers": [{"socket_address": address}],
            },
        }
        more = "\n" + yaml.safe_dump({"typed_dns_resolver_config": resolver})
        endpoint = "http://collector.example:4317"
        with open_door(tmp_path, more, otel_exporter_otlp_endpoint=endpoint) as door:
            assert reached(door)["traceparent"]
        asked, _ = silent.recvfrom(512)
        assert b"collector" in asked


@pytest.mark.parametrize("name", ["traceparent", "tracestate", CALLER_HEADER])
def test_a_trace_that_is_no_text_fails_no_call(doors: dict[str, Door], name: str) -> None:
    for door in doors.values():
        door.upstream.reset()
        head = f"GET /api/v1/health HTTP/1.1\r\nhost: {door.address}\r\nconnection: close\r\n"
        reply = door.raw(head.encode() + name.encode() + b": \xff\xfe\r\n\r\n")
        assert reply.startswith(b"HTTP/1.1 200 OK\r\n")
        [call] = door.upstream.calls
        assert parse(call.metadata.get(CALLER_HEADER)) is None


async def test_what_a_caller_chooses_is_short_in_spans_and_in_the_log(tmp_path: Path) -> None:
    known = secrets.token_hex(64)
    async with collector() as kept:
        with open_door(tmp_path, otel_exporter_otlp_endpoint=kept.endpoint) as door:

            def call() -> dict[str, Any]:
                headers = {"x-request-id": known + "x" * 8_000}
                with door.client(http2=True, http1=False) as client:
                    # As many as Envoy sends without waiting for more.
                    for _ in range(5):
                        client.request("M" * 4_000, "/api/v1/health", headers=headers)
                return door.access_log_of(known)

            async def spans() -> list[Span]:
                return kept.spans

            line = await asyncio.to_thread(call)
            span = (await eventually(spans))[0]
    assert line["method"] == "M" * 16
    assert span.attributes["guid:x-request-id"] == known
    assert span.attributes["http.method"] == "_OTHER"
