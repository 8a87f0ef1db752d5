"""A cluster that misbehaves is not ready, is told so in our words, and costs little."""

import asyncio
import base64
import socket

import pytest

from controller.targets.probe.result import ProbeReason
from krkn_grpc.resources.kubeconfig import (
    from_credentials,
    from_token,
)
from tests.integration.probe.probing import (
    AUTHORITY,
    BRIEF,
    CANARY,
    GOOD_CONTEXT,
    black_hole,
    look,
    with_token,
)
from tests.integration.probe.servers import (
    Script,
    answer,
    review,
    says,
    says_nothing,
    serving,
)

# --- servers that misbehave ---


@pytest.mark.parametrize(
    ("script", "reason", "word"),
    [
        pytest.param(says(answer(401, b'"canary-5ecret"')), "Unauthorized", "refused", id="401"),
        pytest.param(says(answer(403, b"canary-5ecret")), "Unauthorized", "refused", id="403"),
        pytest.param(says(answer(404, b"canary-5ecret")), "Unreachable", "Kubernetes", id="404"),
        pytest.param(says(answer(500, b"canary-5ecret")), "Unreachable", "available", id="500"),
        pytest.param(says(answer(429)), "Unreachable", "available", id="429"),
        pytest.param(says(answer(204)), "Unreachable", "Kubernetes", id="204"),
        pytest.param(says(answer(200, b"<html>")), "Unreachable", "Kubernetes", id="a web page"),
        pytest.param(says(answer(201, b"")), "Unreachable", "Kubernetes", id="no body"),
        pytest.param(says(answer(201, b"[" * 9999)), "Unreachable", "Kubernetes", id="deep"),
        pytest.param(says(answer(201, {"kind": "Pod"})), "Unreachable", "Kubernetes", id="kind"),
        pytest.param(
            says(answer(201, review("system:anonymous"))), "Unauthorized", "anonymous", id="anon"
        ),
        pytest.param(says(b"SSH-2.0-canary-5ecret\r\n\r\n"), "Unreachable", "HTTP", id="not HTTP"),
        pytest.param(says(b"HTTP/1.1 201 Created\r\n"), "Unreachable", "in time", id="half a head"),
        pytest.param(
            says(b"HTTP/1.1 201 C\r\nContent-Length: 9\r\n\r\nab"), "Unreachable", "", id="half"
        ),
        pytest.param(
            says(b"HTTP/1.1 201 C\r\nX: ", b"a" * 4096, endless=True),
            "Unreachable",
            "HTTP",
            id="giant header",
        ),
        pytest.param(
            says(b"HTTP/1.1 100 Continue\r\n\r\n" * 99, endless=True),
            "Unreachable",
            "too large",
            id="endless interim answers",
        ),
        pytest.param(
            says(b"HTTP/1.1 201 C\r\n\r\n" + b"a" * 4096, b"a" * 4096, endless=True),
            "Unreachable",
            "too large",
            id="endless body",
        ),
        pytest.param(
            says(answer(201, b"", "Transfer-Encoding: chunked"), b"5\r\naaaaa\r\n", endless=True),
            "Unreachable",
            "",
            id="endless chunks",
        ),
        pytest.param(
            says(b"H", pause=0.2, endless=True), "Unreachable", "", id="byte by byte, nonsense"
        ),
        pytest.param(
            says(
                b"HTTP/1.1 201 C\r\nContent-Length: 999\r\n\r\n",
                *[b"{"] * 900,
                pause=0.05,
            ),
            "Unreachable",
            "in time",
            id="byte by byte",
        ),
        pytest.param(says_nothing, "Unreachable", "in time", id="nothing after the handshake"),
    ],
)
async def test_misbehaving_server(script: Script, reason: str, word: str) -> None:
    async with serving(script, GOOD_CONTEXT) as seen:
        found = await look(with_token(seen), limits=BRIEF)
    assert found.reason == reason, found
    assert word in found.message


async def test_a_redirect_is_not_followed() -> None:
    async with (
        serving(says(answer(201, review())), GOOD_CONTEXT) as elsewhere,
        serving(
            says(answer(302, b"", f"Location: https://127.0.0.1:{elsewhere.port}/")), GOOD_CONTEXT
        ) as seen,
    ):
        found = await look(with_token(seen))
        assert found.reason is ProbeReason.UNREACHABLE
        assert "redirect" in found.message
        assert elsewhere.connections == 0


async def test_the_question_falls_back_for_older_clusters() -> None:
    asked: list[bytes] = []

    async def old(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # `serving` has read the request by now.
        asked.append(bytes(seen.received))
        known = b"/selfsubjectaccessreviews" in asked[-1]
        writer.write(answer(201, {"kind": "SelfSubjectAccessReview"}) if known else answer(404))
        await reader.read()

    async with serving(old, GOOD_CONTEXT) as seen:
        kubeconfig = from_token(f"https://127.0.0.1:{seen.port}/k8s/c-1/", "abc", AUTHORITY.pem)
        assert (await look(kubeconfig)).reason is ProbeReason.REACHABLE
    first = asked[0].decode()
    assert first.startswith("POST /k8s/c-1/apis/authentication.k8s.io/v1/selfsubjectreviews HTTP")
    assert "\r\nAuthorization: Bearer abc\r\n" in first
    assert f"\r\nHost: 127.0.0.1:{seen.port}\r\n" in first


async def test_a_password_is_sent_as_basic_authentication() -> None:
    async with serving(says(answer(201, review())), GOOD_CONTEXT) as seen:
        url = f"https://127.0.0.1:{seen.port}"
        found = await look(from_credentials(url, "ädmin", "pä:ss", AUTHORITY.pem))
    assert found.reason is ProbeReason.REACHABLE
    expected = base64.b64encode("ädmin:pä:ss".encode()).decode()
    assert f"\r\nAuthorization: Basic {expected}\r\n" in seen.received.decode()


async def test_a_port_that_speaks_no_tls() -> None:
    async with serving(says(answer(201, review()))) as seen:
        assert (await look(with_token(seen))).reason is ProbeReason.TLS_FAILED
        assert (await look(with_token(seen, None))).reason is ProbeReason.TLS_FAILED


async def test_a_port_where_nobody_listens() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        found = await look(from_token(f"https://127.0.0.1:{unused.getsockname()[1]}", CANARY))
    assert found.reason is ProbeReason.UNREACHABLE
    assert "refused the connection" in found.message


async def test_a_port_that_never_answers() -> None:
    async with black_hole() as hole:
        found = await look(with_token(hole), limits=BRIEF)
    assert found.reason is ProbeReason.UNREACHABLE
    assert found.message == "The cluster's address did not answer in time."
    async with serving(says_nothing) as seen:  # connects, but no handshake comes
        found = await look(with_token(seen), limits=BRIEF)
    assert (found.reason, found.message) == (
        ProbeReason.UNREACHABLE,
        "The cluster did not answer in time.",
    )
