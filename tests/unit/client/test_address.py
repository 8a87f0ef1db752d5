"""Where the service is, as a person may write it."""

import os
import threading
from pathlib import Path

import pytest

from krkn_grpc.client.address import Address, BadAddress, address, default_server
from krkn_grpc.client.tokens import BadToken, from_environment


@pytest.mark.parametrize(
    ("text", "tls", "expected"),
    [
        pytest.param("127.0.0.1", None, Address("127.0.0.1:8080", False), id="this machine"),
        pytest.param("localhost:1", None, Address("localhost:1", False), id="by name"),
        pytest.param("[::1]:1", None, Address("[::1]:1", False), id="IPv6"),
        pytest.param("127.0.0.1:1", True, Address("127.0.0.1:1", True), id="this machine by TLS"),
        pytest.param("krkn.example", None, Address("krkn.example:443", True), id="elsewhere"),
        pytest.param("10.0.0.1:1", None, Address("10.0.0.1:1", True), id="an address elsewhere"),
        pytest.param("a.example:1", False, Address("a.example:1", False), id="a mesh, by option"),
        pytest.param("http://a.example:1", None, Address("a.example:1", False), id="by URL"),
        pytest.param("https://127.0.0.1/", None, Address("127.0.0.1:443", True), id="https"),
        pytest.param("https://[fd00::1]:2", True, Address("[fd00::1]:2", True), id="IPv6 by TLS"),
    ],
)
def test_an_address(text: str, tls: bool | None, expected: Address) -> None:
    assert address(text, tls) == expected


@pytest.mark.parametrize(
    ("text", "tls"),
    [
        ("", None),
        ("https://", None),
        ("ftp://a", None),
        ("a:b", None),
        ("a:99999", None),
        ("https://a/path", None),
        ("https://a?query", None),
        ("https://user:secret@a", None),  # pragma: allowlist secret
        ("[::1", None),
        ("a b", None),
        ("a\tb:1", None),
        ("a\x00b", None),
        ("http://a", True),
        ("https://a", False),
    ],
)
def test_no_address(text: str, tls: bool | None) -> None:
    with pytest.raises(BadAddress) as refused:
        address(text, tls)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, "127.0.0.1:8080"),
        ({"KRKN_REST_PORT": "1"}, "127.0.0.1:1"),
        ({"KRKN_REST_PORT": "1", "KRKN_SERVER": "krkn.example"}, "krkn.example"),
    ],
)
def test_the_default_server(environment: dict[str, str], expected: str) -> None:
    assert default_server(environment) == expected


async def test_a_token_file_is_read_for_every_call(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("first\n")
    source = from_environment({"KRKN_TOKEN_FILE": str(file), "KRKN_TOKEN": "not this"})
    assert await source.token() == "first"
    file.write_text("second")
    assert await source.token() == "second"
    file.write_text("with\nbreak")
    with pytest.raises(BadToken):
        await source.token()


async def test_a_pipe_is_read_once(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_text, args=("token\n",))
    writer.start()
    source = from_environment({"KRKN_TOKEN_FILE": str(pipe)})
    writer.join()
    assert [await source.token(), await source.token()] == ["token", "token"]


async def test_without_a_token_there_is_none() -> None:
    assert await from_environment({"KRKN_TOKEN_FILE": ""}).token() == ""
    assert await from_environment({"KRKN_TOKEN": " token\n"}).token() == "token"
