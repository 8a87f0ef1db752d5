"""A real Envoy with a rendered configuration, before a gRPC server that answers as a test wants.

The server is no stand-in for ours: it answers what ours never should and Envoy must cope with.
"""

import contextlib
import json
import re
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import grpc
import httpx
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.rpc import status_pb2
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from grpc_status import rpc_status

from deploy.local.processes.ports import free_port
from krkn_grpc.edge.command import command
from krkn_grpc.edge.limits import MAX_HEADER_KIB
from krkn_grpc.edge.render import CONFIG, render_files
from krkn_grpc.edge.settings import EnvoySettings
from krkn_grpc.v1 import alerts_pb2, scenario_runs_pb2, scenarios_pb2, targets_pb2
from krkn_grpc.v1 import health_pb2 as service_health_pb2

LOOPBACK = "127.0.0.1"
SECONDS = 60.0
"""How long anything here may take at most."""

FILES = (targets_pb2, scenario_runs_pb2, scenarios_pb2, alerts_pb2, service_health_pb2)
SERVICES = [service for file in FILES for service in file.DESCRIPTOR.services_by_name.values()]

T = TypeVar("T")
# What a reply must never carry: gRPC's own headers, names of products, timings of what is behind.
TELLING = {
    "grpc-status",
    "grpc-message",
    "grpc-status-details-bin",
    "grpc-accept-encoding",
    "grpc-encoding",
    "accept-encoding",
    "server",
    "via",
    "x-http-code",
    "x-envoy-upstream-service-time",
}

# Nothing where the context has been aborted.
Reply = Callable[[Any, grpc.ServicerContext], Message | Iterator[Message] | None]


@dataclass(frozen=True)
class Call:
    """What reached the server."""

    method: str
    request: Any
    metadata: dict[str, str]


@dataclass
class Upstream:
    """The server: each RPC is noted and answered with its empty message, or as a test says."""

    port: int = 0
    calls: list[Call] = field(default_factory=list)
    _replies: dict[str, Reply] = field(default_factory=dict)

    def on(self, method: str, reply: Reply) -> None:
        """Answer a method, by its short name, as `reply` says."""
        self._replies[method] = reply

    def fails(self, method: str, status: status_pb2.Status) -> None:
        """Answer a method with an error."""
        self.on(method, lambda _, context: context.abort_with_status(rpc_status.to_status(status)))

    def reset(self) -> None:
        """Forget what tests said and what was asked."""
        self.calls.clear()
        self._replies.clear()

    def serve(self, port: int = 0) -> grpc.Server:
        """Start the server; also again, on the port that it had."""
        options = [("grpc.so_reuseport", 0), ("grpc.max_metadata_size", MAX_HEADER_KIB * 2048)]
        server = grpc.server(ThreadPoolExecutor(32), options=options)
        for service in SERVICES:
            handlers = {method.name: self._handler(method) for method in service.methods}
            server.add_generic_rpc_handlers(
                [grpc.method_handlers_generic_handler(service.full_name, handlers)]
            )
        servicer = health.HealthServicer()
        servicer.set("", health_pb2.HealthCheckResponse.SERVING)
        health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
        names = [service.full_name for service in SERVICES]
        reflection.enable_server_reflection([*names, reflection.SERVICE_NAME], server)
        self.port = server.add_insecure_port(f"{LOOPBACK}:{port}")
        server.start()
        return server

    def _handler(self, method: MethodDescriptor) -> "grpc.RpcMethodHandler[Any, Any]":
        kind = (
            grpc.unary_stream_rpc_method_handler
            if method.server_streaming
            else grpc.unary_unary_rpc_method_handler
        )
        return kind(
            partial(self._answer, method),
            request_deserializer=GetMessageClass(method.input_type).FromString,
            response_serializer=lambda message: message.SerializeToString(),
        )

    def _answer(
        self, method: MethodDescriptor, request: Message, context: grpc.ServicerContext
    ) -> Message | Iterator[Message] | None:
        metadata = {key: str(value) for key, value in context.invocation_metadata()}
        self.calls.append(Call(method.name, request, metadata))
        reply = self._replies.get(method.name)
        if reply is not None:
            return reply(request, context)
        empty = GetMessageClass(method.output_type)()
        return iter([empty]) if method.server_streaming else empty


@dataclass
class Door:
    """A running Envoy and what is behind it."""

    settings: EnvoySettings
    process: subprocess.Popen[bytes]
    access_log: Path
    log: Path
    upstream: Upstream
    server: grpc.Server

    @property
    def address(self) -> str:
        return f"{LOOPBACK}:{self.settings.rest_port}"

    @property
    def url(self) -> str:
        return f"http://{self.address}"

    def client(self, **options: Any) -> httpx.Client:
        """Return an HTTP client for REST; `http2=True, http1=False` for HTTP/2."""
        return httpx.Client(base_url=self.url, timeout=SECONDS, **options)

    def channel(self) -> grpc.Channel:
        """Return a gRPC channel through Envoy."""
        return grpc.insecure_channel(self.address)

    def raw(self, request: bytes) -> bytes:
        """Send bytes as they are, and return what came until Envoy closed."""
        with socket.create_connection((LOOPBACK, self.settings.rest_port), SECONDS) as connection:
            connection.sendall(request)
            return b"".join(iter(lambda: connection.recv(65536), b""))

    def access_log_of(self, request_id: str) -> dict[str, Any]:
        """Return the line that Envoy wrote for a request."""

        def line() -> dict[str, Any] | None:
            lines = (json.loads(text) for text in self.access_log.read_text().splitlines())
            return next((entry for entry in lines if entry.get("request_id") == request_id), None)

        found: dict[str, Any] = eventually(line)
        return found


@contextlib.contextmanager
def open_door(
    folder: Path, more: str = "", /, *changes: tuple[str, str], **settings: Any
) -> Iterator[Door]:
    """Start a server and Envoy in front of it, with files in `folder`; both end with the block.

    `more` is YAML of the machine's part, such as its resolver, that our configuration leaves out.
    `changes` replace parts of our configuration, for what no setting brings about.
    """
    upstream = Upstream()
    server = upstream.serve()
    chosen = EnvoySettings(
        **{
            "rest_port": free_port(),
            "grpc_port": upstream.port,
            "envoy_metrics_port": free_port(),
            "server_health_port": upstream.port,
            "envoy_directory": folder,
            **settings,
        }
    )
    for name, text in render_files(chosen).items():
        (folder / name).write_text(_changed(text, changes) + more if name == CONFIG else text)
    access_log, log = folder / "access.log", folder / "envoy.log"
    with access_log.open("wb") as stdout, log.open("wb") as stderr:
        process = subprocess.Popen(
            command(folder / CONFIG, concurrency=1), stdout=stdout, stderr=stderr
        )
    door = Door(chosen, process, access_log, log, upstream, server)
    try:
        eventually(lambda: _accepts(door))
        yield door
    finally:
        process.terminate()
        process.wait(SECONDS)
        door.server.stop(grace=None).wait(SECONDS)


def _changed(text: str, changes: Iterable[tuple[str, str]]) -> str:
    for before, after in changes:
        assert before in text
        text = text.replace(before, after)
    return text


def eventually(condition: Callable[[], T | None], seconds: float = SECONDS) -> T:
    """Return what a condition gives once it gives something; fail when it does not in time."""
    end = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < end, "it did not come about"
        threading.Event().wait(0.01)
    return value


def at_once(calls: Iterable[Callable[[], T]]) -> list[T]:
    """Make the calls at the same time; return their results in order.

    What may be called so often in a second is called faster than that, also on a busy machine.
    """
    with ThreadPoolExecutor(32) as threads:
        return list(threads.map(lambda call: call(), calls))


def _accepts(door: Door) -> bool:
    assert door.process.poll() is None, door.log.read_text()
    with (
        contextlib.suppress(OSError),
        socket.create_connection((LOOPBACK, door.settings.rest_port), 1),
    ):
        return True
    return False


def is_bare_error(response: httpx.Response, status: int, code: int) -> dict[str, Any]:
    """Assert that a reply is an error of a server that gives no details; return its JSON."""
    assert response.headers["content-type"] == "application/json", response.text
    assert response.headers["x-content-type-options"] == "nosniff"
    body: dict[str, Any] = response.json()
    assert (response.status_code, body["code"]) == (status, code), body
    assert list(body) == ["code", "message", "details"]
    assert body["message"]
    return body


def is_error(
    response: httpx.Response, status: int, code: int, reason: str | None = None
) -> dict[str, Any]:
    """Assert that a reply is an error in the form that all have; return its JSON."""
    body = is_bare_error(response, status, code)
    # One style: as the server's.
    assert not re.match(r"[A-Z][a-z]* ", body["message"])
    assert not body["message"].endswith(".")
    info = body["details"][0]
    assert re.fullmatch("[A-Z0-9_]+", info["reason"])
    assert info == {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": reason or info["reason"],
        "domain": "krkn.krkn-chaos.dev",
        "metadata": {},
    }
    return body


def violations(body: dict[str, Any]) -> dict[str, str]:
    """Return the field violations of an error, by field."""
    info, request = body["details"]
    assert info["reason"] == "INVALID_REQUEST"
    assert request["@type"] == "type.googleapis.com/google.rpc.BadRequest"
    return {found["field"]: found["description"] for found in request["fieldViolations"]}


def check_health(channel: grpc.Channel, metadata: tuple[tuple[str, str], ...] = ()) -> int:
    """Ask grpc.health.v1 for the whole server."""
    check: grpc.UnaryUnaryMultiCallable[Any, Any] = channel.unary_unary(
        "/grpc.health.v1.Health/Check",
        request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
        response_deserializer=health_pb2.HealthCheckResponse.FromString,
    )
    status: int = check(health_pb2.HealthCheckRequest(), metadata=metadata, timeout=SECONDS).status
    return status
