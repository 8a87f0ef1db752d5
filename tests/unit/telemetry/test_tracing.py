"""Spans cost nothing where they are off, and nobody waits for those who receive them."""

import asyncio
import logging
import secrets
import subprocess
import sys
import time
from datetime import UTC, datetime

import pytest

from deploy.local.processes.ports import free_port
from krkn_grpc.kube.errors import OutcomeUnknown
from krkn_grpc.kube.request_metrics import measured
from krkn_grpc.resources.trace_context import EndedSpan, Traceparent
from krkn_grpc.telemetry import metrics, tracing
from tests.support.collector import collector
from tests.support.requests import canary

JOBS = "/apis/krkn.krkn-chaos.dev/v1alpha1/namespaces/test/krknchaosjobs"
NOW = datetime(2026, 3, 1, tzinfo=UTC)
GIVEN_UP = 9.0
"""Less than it takes to give up a receiver; without waiting for one it is a fraction of it."""


def place(*, is_sampled: bool = True) -> Traceparent:
    return Traceparent(secrets.token_hex(16), secrets.token_hex(8), is_sampled)


def dropped(reason: str) -> float:
    labels = {"reason": reason}
    return metrics.SHARED.get_sample_value("krkn_spans_dropped_total", labels) or 0.0


def test_nothing_of_opentelemetry_is_imported_where_it_is_off() -> None:
    program = """
import asyncio, sys
import controller.app, krkn_grpc.server.app, krkn_grpc.edge.render
from krkn_grpc.kube.request_metrics import measured
from krkn_grpc.resources.trace_context import Traceparent
from krkn_grpc.telemetry import tracing

async def work():
    async with tracing.exported("", "krkn-grpc-server"):
        tracing.follow(Traceparent("1" * 32, "1" * 16, True))
        with measured("GET", "/api/v1/pods"), tracing.step("review"):
            assert not tracing.is_on()

asyncio.run(work())
print(*(name for name in sys.modules if name.startswith("opentelemetry")))
"""
    found = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert (found.returncode, found.stdout, found.stderr) == (0, "\n", "")


async def test_requests_and_steps_are_below_their_call() -> None:
    parent, caller = place(), place()
    async with collector() as kept:
        async with tracing.exported(kept.endpoint, "krkn-grpc-server"):
            call = tracing.started_call("Service/Method", parent, caller)
            with tracing.step("review"), measured("POST", JOBS) as request:
                request.code = 201
            with pytest.raises(OutcomeUnknown), measured("PUT", JOBS):
                raise OutcomeUnknown("lost")
            call.end()
        # It has sent everything before it ends.
        found = {each.name: each for each in kept.of_trace(parent.trace_id)}
    assert found["Service/Method"].parent_id == parent.span_id
    assert found["Service/Method"].links == [(caller.trace_id, caller.span_id)]
    assert found["review"].parent_id == found["Service/Method"].span_id
    assert found["POST krknchaosjobs"].parent_id == found["review"].span_id
    assert found["PUT krknchaosjobs"].parent_id == found["Service/Method"].span_id
    assert found["PUT krknchaosjobs"].has_failed
    assert not found["POST krknchaosjobs"].has_failed


async def test_requests_outside_of_a_call_have_no_span() -> None:
    async with collector() as kept:
        async with tracing.exported(kept.endpoint, "krkn-grpc-controller"):
            tracing.follow(None)
            with measured("GET", JOBS), tracing.step("review"):
                pass
            tracing.follow(place(is_sampled=False))
            with measured("GET", JOBS), tracing.step("review"):
                pass
        assert kept.spans == []


async def test_what_nobody_takes_is_dropped_and_counted_and_delays_nothing() -> None:
    most = 8_192
    before, call = dropped("queue_full"), place()
    span = EndedSpan("job", call, call, NOW, NOW, {})
    async with collector() as kept:
        kept.is_hanging = True
        began = time.monotonic()
        async with tracing.exported(kept.endpoint, "krkn-grpc-controller"):
            tracing.send([span] * (most + 1_000))
            assert time.monotonic() - began < GIVEN_UP
            await asyncio.sleep(0)
            ending = time.monotonic()
        assert time.monotonic() - ending < GIVEN_UP
    assert 0 < dropped("queue_full") - before <= 1_000


async def test_a_receiver_that_is_not_there_delays_no_end() -> None:
    call = place()
    async with tracing.exported(f"http://127.0.0.1:{free_port()}", "krkn-grpc-controller"):
        tracing.send([EndedSpan("job", call, call, NOW, NOW, {})])
        began = time.monotonic()
    assert time.monotonic() - began < GIVEN_UP
    assert not tracing.is_on()


async def test_a_header_that_cannot_be_read_is_not_logged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    hidden = canary()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", f"api-key: {hidden}")
    # Its own level: the log of this process may have been configured by another test.
    caplog.set_level(logging.WARNING, logger="opentelemetry.util.re")
    async with tracing.exported(f"http://127.0.0.1:{free_port()}", "krkn-grpc-server"):
        pass
    assert "Header format invalid!" in caplog.text
    assert hidden not in caplog.text


async def test_a_setting_of_opentelemetry_that_cannot_be_used_is_one_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "10s")
    with pytest.raises(SystemExit) as ended:
        async with tracing.exported("http://127.0.0.1:4317", "krkn-grpc-server"):
            pytest.fail("it began")
    told = str(ended.value.code)
    assert told.startswith("krkn-grpc-server: a setting OTEL_* cannot be used: ")
    assert "'10s'" in told
    assert "\n" not in told
    assert not tracing.is_on()


@pytest.mark.parametrize("end", ["", "/", ":4317"])
async def test_the_port_of_a_receiver_is_that_of_otlp_where_none_is_given(end: str) -> None:
    # An address that no other test listens on.
    host = f"127.{secrets.randbelow(254) + 1}.{secrets.randbelow(254) + 1}.1"
    async with collector(f"{host}:4317") as kept:
        async with tracing.exported(f"http://{host}{end}", "krkn-grpc-server"):
            tracing.started_call("Service/Method", None, None).end()
        assert [each.name for each in kept.spans] == ["Service/Method"]


@pytest.mark.parametrize("sampler", ["traceidratio", "parentbased_traceidratio"])
async def test_whether_a_trace_is_sent_is_decided_once(
    monkeypatch: pytest.MonkeyPatch, sampler: str
) -> None:
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", sampler)
    monkeypatch.setenv("OTEL_TRACES_SAMPLER_ARG", "0.5")
    async with tracing.exported(f"http://127.0.0.1:{free_port()}", "krkn-grpc-server"):
        for is_sampled in (True, False) * 20:
            parent = place(is_sampled=is_sampled)
            assert tracing.started_call("Service/Method", parent, None).at.is_sampled == is_sampled
        alone = {tracing.started_call("a", None, None).at.is_sampled for _ in range(200)}
    assert alone == {True, False}


async def test_a_node_with_a_strange_clock_does_not_cost_the_spans_of_others() -> None:
    one, other = place(), place()
    strange = EndedSpan("running", one, one, datetime(1, 1, 1, tzinfo=UTC), NOW, {})
    async with collector() as kept:
        async with tracing.exported(kept.endpoint, "krkn-grpc-controller"):
            tracing.send([strange, EndedSpan("running", other, other, NOW, NOW, {})])
        assert [each.trace_id for each in kept.spans] == [one.trace_id, other.trace_id]
