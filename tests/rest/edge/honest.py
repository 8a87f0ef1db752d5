"""Callers of all kinds who do nothing wrong: not one call of theirs may fail."""

import contextlib
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import grpc
import httpx

from krkn_grpc.v1 import scenario_runs_pb2 as runs
from krkn_grpc.v1 import scenario_runs_pb2_grpc as runs_grpc
from krkn_grpc.v1 import targets_pb2 as targets
from krkn_grpc.v1 import targets_pb2_grpc as targets_grpc
from tests.rest.edge.running import SECONDS, check_health

METADATA = (("authorization", "Bearer abc"), ("krkn-revision", "krknchaosjobs.7"))


@dataclass
class Honest:
    """How often each kind of caller was answered, and what failed."""

    answered: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)


@contextlib.contextmanager
def honest_calling(address: str) -> Iterator[Honest]:
    """Call in every way again and again until the block ends."""
    honest, over = Honest(), threading.Event()

    def again(kind: str, call: Callable[[], None]) -> None:
        while not over.wait(0.03):
            try:
                call()
            except (grpc.RpcError, httpx.HTTPError, AssertionError) as error:
                honest.failures.append(f"{kind}: {error}")
            honest.answered[kind] += 1

    with contextlib.ExitStack() as stack:
        kinds = _kinds(address, stack)
        threads = [threading.Thread(target=again, args=each) for each in kinds.items()]
        for thread in threads:
            thread.start()
        try:
            yield honest
        finally:
            over.set()
            for thread in threads:
                thread.join()


def _kinds(address: str, stack: contextlib.ExitStack) -> dict[str, Callable[[], None]]:
    plain = stack.enter_context(grpc.insecure_channel(address))
    gzip = stack.enter_context(grpc.insecure_channel(address, compression=grpc.Compression.Gzip))
    url = f"http://{address}"
    rest = stack.enter_context(httpx.Client(base_url=url, timeout=SECONDS))
    rest2 = stack.enter_context(
        httpx.Client(base_url=url, timeout=SECONDS, http1=False, http2=True)
    )

    def unary(channel: grpc.Channel) -> None:
        stub = targets_grpc.TargetServiceStub(channel)
        stub.ListTargets(targets.ListTargetsRequest(), metadata=METADATA, timeout=SECONDS)

    def stream() -> None:
        stub = runs_grpc.ScenarioRunServiceStub(plain)
        request = runs.WatchScenarioRunsRequest()
        assert len(list(stub.WatchScenarioRuns(request, metadata=METADATA, timeout=SECONDS))) == 1

    def get(client: httpx.Client) -> None:
        reply = client.get("/api/v1/operator/targets", headers=dict(METADATA))
        assert reply.status_code == 200, reply.text
        reply = client.post("/api/v1/operator/targets", json={"clusterName": "a"})
        assert reply.status_code == 200, reply.text

    def health() -> None:
        check_health(plain)

    return {
        "gRPC": lambda: unary(plain),
        "gRPC with gzip": lambda: unary(gzip),
        "a stream": stream,
        "REST": lambda: get(rest),
        "REST over HTTP/2": lambda: get(rest2),
        "health": health,
    }
