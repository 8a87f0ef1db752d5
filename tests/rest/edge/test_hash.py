"""The hash of Envoy's scripts, by the vectors that its authors published with it."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import yaml

from deploy.local.processes.ports import free_port
from krkn_grpc.edge.command import command
from krkn_grpc.edge.files import FOLDER
from tests.rest.edge.running import LOOPBACK, SECONDS, eventually

# Of the texts of no byte, 00, 00 01 and so on, with the key 00 01 ... 07 (vectors_hsip64).
VECTORS = (Path(__file__).parent / "halfsiphash.txt").read_text().split()
_TYPE = "type.googleapis.com/envoy.extensions.filters"
SCRIPT = """
function envoy_on_request(handle)
  local bytes = {}
  for number = 1, tonumber(handle:headers():get("length")) do
    bytes[number] = string.char(number - 1)
  end
  handle:respond({[":status"] = "200"}, hash(table.concat(bytes), 0x03020100, 0x07060504))
end
"""


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder, port = tmp_path_factory.mktemp("hash"), free_port()
    lua = f"local hash = (function()\n{(FOLDER / 'lua/halfsiphash.lua').read_text()}end)()\n"
    config = folder / "envoy.yaml"
    config.write_text(_config(lua + SCRIPT, port))
    process = subprocess.Popen(command(config, concurrency=1), stderr=subprocess.DEVNULL)
    try:
        url = f"http://{LOOPBACK}:{port}"
        eventually(lambda: _answers(url))
        yield url
    finally:
        process.terminate()
        process.wait(SECONDS)


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, headers={"length": "0"}).status_code == 200
    except httpx.TransportError:
        return False


def _config(script: str, port: int) -> str:
    manager = {
        "@type": f"{_TYPE}.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "hash",
        "http_filters": [
            {
                "name": "lua",
                "typed_config": {
                    "@type": f"{_TYPE}.http.lua.v3.Lua",
                    "default_source_code": {"inline_string": script},
                },
            },
            {"name": "router", "typed_config": {"@type": f"{_TYPE}.http.router.v3.Router"}},
        ],
        "route_config": {"virtual_hosts": []},
    }
    listener = {
        "address": {"socket_address": {"address": LOOPBACK, "port_value": port}},
        "filter_chains": [{"filters": [{"name": "http", "typed_config": manager}]}],
    }
    return yaml.safe_dump({"static_resources": {"listeners": [listener]}})


@pytest.mark.parametrize("length", range(len(VECTORS)))
def test_the_authors_vectors(url: str, length: int) -> None:
    halves = httpx.get(url, headers={"length": str(length)}).text
    # The vectors have the bytes of each half in the other order.
    first, second = (bytes.fromhex(half)[::-1] for half in (halves[:8], halves[8:]))
    assert (first + second).hex() == VECTORS[length]
