"""Who a caller is in a service mesh: said by the proxy beside Envoy, and by nobody else."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import pytest

from tests.rest.edge.running import Door, eventually, open_door

ALICE = "spiffe://cluster.local/ns/callers/sa/alice"
BOB = "spiffe://cluster.local/ns/callers/sa/bob"
US = "spiffe://cluster.local/ns/krkn-operator-system/sa/krkn-grpc-controller"
HASH = "Hash=" + "0a" * 32
# As Istio's proxy writes it, after what the caller sent.
TOLD = f'By={US};{HASH};Subject="";URI={ALICE}'
PROXY = "127.0.0.6"
"""From where Istio's proxy calls what is in its pod."""
HEADER, CALLER = "x-forwarded-client-cert", "krkn-mesh-caller"


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Door]]:
    with ExitStack() as stack:
        yield {
            tls: stack.enter_context(open_door(tmp_path_factory.mktemp("door"), tls=tls))
            for tls in ("mesh", "off")
        }


def reached(door: Door, address: str, *headers: tuple[str, str]) -> dict[str, str]:
    """Call from an address of this machine; the metadata that came to the server."""
    door.upstream.reset()
    transport = httpx.HTTPTransport(local_address=address)
    with httpx.Client(base_url=door.url, transport=transport) as client:
        assert client.get("/api/v1/health", headers=headers).status_code == 200
    [call] = door.upstream.calls
    return call.metadata


@pytest.mark.parametrize(
    "headers",
    [
        [(HEADER, TOLD)],
        [(HEADER, f"By={US};{HASH};URI={BOB},{TOLD}")],
        [(HEADER, f"By={US};{HASH};URI={BOB}"), (HEADER, TOLD)],
        # What would swallow the rest, if the proxy's part were looked for from the start.
        [(HEADER, f'By={US};{HASH};Subject="{TOLD},{TOLD}')],
        [(HEADER, TOLD), (CALLER, BOB)],
    ],
)
def test_the_proxy_s_word_is_the_last(
    doors: dict[str, Door], headers: list[tuple[str, str]]
) -> None:
    metadata = reached(doors["mesh"], PROXY, *headers)
    assert metadata[CALLER] == ALICE
    assert HEADER not in metadata


@pytest.mark.parametrize(
    ("tls", "address", "headers"),
    [
        # A caller without a proxy, or past it: its word counts for nothing.
        ("mesh", "127.0.0.1", [(HEADER, TOLD)]),
        ("mesh", "127.0.0.1", [(CALLER, ALICE)]),
        ("mesh", PROXY, [(CALLER, ALICE)]),
        ("off", PROXY, [(HEADER, TOLD)]),
        ("off", PROXY, [(CALLER, ALICE)]),
        # What no proxy of a mesh writes.
        ("mesh", PROXY, [(HEADER, f'{TOLD};DNS="x"')]),
        ("mesh", PROXY, [(HEADER, f"{TOLD}%0a")]),
        ("mesh", PROXY, [(HEADER, f'By={US};{HASH};Subject="a;URI={ALICE}"')]),
        ("mesh", PROXY, [(HEADER, f"By={US};URI=https://callers/alice")]),
        ("mesh", PROXY, [(HEADER, f"By={US};URI={ALICE}{'a' * 512}")]),
        ("mesh", PROXY, [(HEADER, ALICE)]),
    ],
)
def test_nobody_else_is_believed(
    doors: dict[str, Door], tls: str, address: str, headers: list[tuple[str, str]]
) -> None:
    assert reached(doors[tls], address, *headers).keys().isdisjoint({HEADER, CALLER})


def test_it_is_in_the_access_log(doors: dict[str, Door]) -> None:
    door = doors["mesh"]
    reached(door, PROXY, (HEADER, TOLD), ("x-request-id", "told"))
    reached(door, "127.0.0.1", (HEADER, TOLD), ("x-request-id", "not-told"))

    def line(call: str) -> Any:
        return eventually(lambda: door.access_log_of(call))

    assert line("told")["mesh_caller"] == ALICE
    assert "mesh_caller" not in line("not-told")
