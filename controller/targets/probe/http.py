"""One HTTP exchange on one connection, with a limit on the bytes received.

This is not a full client: it has no redirects, no cookies, no proxy from the environment and no
second connection, so none of them has to be disabled.
"""

import asyncio
import base64
import ssl

import h11

from controller.targets.probe.limits import ProbeLimits
from controller.targets.probe.result import unreachable
from controller.targets.probe.review import Question, Reply, has_meaningful_body
from controller.targets.probe.tls import handshake_failure
from krkn_grpc.resources.kubeconfig import (
    ClientCertificate,
    Credentials,
    Endpoint,
    Password,
    Token,
)


async def exchange(
    streams: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    question: Question,
    endpoint: Endpoint,
    credentials: Credentials,
    limits: ProbeLimits,
) -> Reply:
    """Send the question with the credentials and read its answer."""
    reader, writer = streams
    http = h11.Connection(h11.CLIENT, max_incomplete_event_size=limits.head_bytes)
    try:
        writer.write(_request(http, question, endpoint, credentials))
        await writer.drain()
        return await _reply(http, reader, limits.reply_bytes)
    except ssl.SSLError as error:  # TLS 1.3 refuses a client certificate after the handshake
        raise handshake_failure(error) from None
    except OSError:
        raise unreachable("The cluster closed the connection.") from None
    except h11.RemoteProtocolError:
        ended = reader.at_eof()
    raise unreachable(
        "The cluster closed the connection." if ended else "The cluster did not answer with HTTP."
    )


def _request(
    http: h11.Connection, question: Question, endpoint: Endpoint, credentials: Credentials
) -> bytes:
    headers = [
        ("Host", endpoint.host_header),
        ("User-Agent", "krkn-grpc"),
        ("Accept", "application/json"),
        ("Accept-Encoding", "identity"),
        *_content(question),
        ("Connection", "close"),
        *_authorization(credentials),
    ]
    events = (
        h11.Request(method=question.method, target=endpoint.path + question.path, headers=headers),
        h11.Data(data=question.body),
        h11.EndOfMessage(),
    )
    return b"".join(http.send(event) or b"" for event in events)


def _content(question: Question) -> list[tuple[str, str]]:
    if question.method == "GET":
        return []
    return [("Content-Type", "application/json"), ("Content-Length", str(len(question.body)))]


def _authorization(credentials: Credentials) -> list[tuple[str, str]]:
    match credentials:
        case Token(value) | ClientCertificate(token=str(value)):
            return [("Authorization", f"Bearer {value}")]
        case Password(username, password):
            pair = base64.b64encode(f"{username}:{password}".encode()).decode("ascii")
            return [("Authorization", f"Basic {pair}")]
        case ClientCertificate():  # presented in the TLS handshake
            return []


async def _reply(http: h11.Connection, reader: asyncio.StreamReader, limit: int) -> Reply:
    status, body, received = 0, bytearray(), 0
    while True:
        match http.next_event():
            case h11.NEED_DATA:
                data = await reader.read(16 * 1024)
                received += len(data)
                if received > limit:
                    raise unreachable("The cluster's answer is too large.")
                http.receive_data(data)
            case h11.Response() as response:
                status = response.status_code
                if not has_meaningful_body(status):
                    return Reply(status)
            case h11.Data() as part:
                body += part.data
            case h11.EndOfMessage():
                return Reply(status, bytes(body))
            case h11.ConnectionClosed() | h11.PAUSED:
                raise h11.RemoteProtocolError("no answer")
