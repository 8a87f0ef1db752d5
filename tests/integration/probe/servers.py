"""Clusters that are none: servers that misbehave in one way each, and the certificates for them."""

import asyncio
import contextlib
import datetime
import ipaddress
import json
import socket
import ssl
import tempfile
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from krkn_grpc.resources.kubeconfig import ClientCertificate

DAY = datetime.timedelta(days=1)


class Authority:
    """Signs certificates, with the extensions that a strict client asks for and no more."""

    def __init__(self, name: str) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name(name)
        self.pem = self._sign(self._name, self._key, [], ca=True, age=DAY)

    def issue(
        self, name: str, *addresses: str, age: datetime.timedelta = DAY, bare: bool = False
    ) -> ClientCertificate:
        """Sign a certificate for a name and addresses; it lasts two days.

        A bare one has the name as its subject only, as was the custom long ago.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        names: list[x509.GeneralName] = [] if bare else [x509.DNSName(name)]
        names += [x509.IPAddress(ipaddress.ip_address(address)) for address in addresses]
        pem = self._sign(_name(name), key, names, ca=False, age=age)
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return ClientCertificate(pem, private.decode())

    def _sign(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePrivateKey,
        names: list[x509.GeneralName],
        *,
        ca: bool,
        age: datetime.timedelta,
    ) -> str:
        start = datetime.datetime.now(datetime.UTC) - age
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(start + 2 * DAY)
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        )
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        certificate = builder.sign(self._key, hashes.SHA256())
        return certificate.public_bytes(Encoding.PEM).decode()


def server_context(pair: ClientCertificate, *, clients: str | None = None) -> ssl.SSLContext:
    """Serve with this certificate; `clients` is the authority whose clients are let in."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.NamedTemporaryFile("w") as file:
        file.write(pair.certificate + pair.key)
        file.flush()
        context.load_cert_chain(file.name)
    if clients is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(cadata=clients)
    return context


@dataclass
class CacheChange:
    """What a server saw of its clients."""

    port: int = 0
    connections: int = 0
    received: bytearray = field(default_factory=bytearray)


Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@contextlib.asynccontextmanager
async def serving(
    script: Script, context: ssl.SSLContext | None = None
) -> AsyncIterator[CacheChange]:
    """Run a server on loopback; its script runs for each connection, after the handshake."""
    seen = CacheChange()
    running: set[asyncio.Task[None]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        running.add(task)
        seen.connections += 1
        try:
            seen.received += await reader.read(1) if context else b""
            seen.received += await reader.read(64 * 1024) if context else b""
            await script(reader, writer)
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            running.discard(task)
            writer.transport.abort()

    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=context)
    seen.port = server.sockets[0].getsockname()[1]
    try:
        yield seen
    finally:
        server.close()
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


@contextlib.contextmanager
def picky_server(context: ssl.SSLContext, reply: bytes) -> Iterator[int]:
    """Run a server that tells its clients by an alert what it has against their certificate.

    asyncio's servers drop the connection without one, unlike every other; so this is a thread.
    """

    def serve(listening: socket.socket) -> None:
        while True:
            try:
                plain, _ = listening.accept()
            except OSError:
                return  # the test is over
            plain.settimeout(20)
            secured = context.wrap_socket(plain, server_side=True, do_handshake_on_connect=False)
            with contextlib.suppress(OSError):
                secured.do_handshake()
                secured.recv(64 * 1024)
                secured.sendall(reply)
            # Read to the end: to close with unread bytes could overtake the alert.
            with socket.socket(fileno=secured.detach()) as rest, contextlib.suppress(OSError):
                rest.settimeout(20)
                while rest.recv(64 * 1024):
                    pass

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve, args=(listening,))
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            thread.join()


def answer(status: int, body: bytes | dict[str, object] = b"", *headers: str) -> bytes:
    """Write an HTTP answer."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    head = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(content)}", *headers, "", ""]
    return "\r\n".join(head).encode() + content


def review(username: str = "admin", *groups: str) -> dict[str, object]:
    """Say whom the cluster takes the caller for."""
    user = {"username": username, "groups": list(groups or ["system:authenticated"])}
    return {"kind": "SelfSubjectReview", "status": {"userInfo": user}}


def says(*parts: bytes, pause: float = 0.0, endless: bool = False) -> Script:
    """Make a script that sends these parts, then closes or starts over."""

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            for part in parts:
                writer.write(part)
                await writer.drain()
                await asyncio.sleep(pause)
            if not endless:
                await reader.read()
                return

    return script


async def says_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Keep the connection and say nothing, until the client has gone."""
    await reader.read()


def _name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
