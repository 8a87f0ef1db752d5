"""TLS at the edge: certificates that change while Envoy runs, and clients that must show theirs."""

import datetime
import ipaddress
import os
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import grpc
import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from grpc_health.v1 import health_pb2
from prometheus_client.parser import text_string_to_metric_families

from tests.rest.edge.running import LOOPBACK, SECONDS, Door, check_health, eventually, open_door

Key = ec.EllipticCurvePrivateKey


class Authority:
    """Signs certificates for the loopback address."""

    def __init__(self, hours: int = 1) -> None:
        self.hours = hours
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test authority")])
        self.certificate = self._sign(self.name, self.key, is_authority=True)

    def write(self, folder: Path) -> x509.Certificate:
        """Write tls.crt, tls.key and ca.crt as a Secret's volume does: one link, moved at once."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "edge")])
        certificate = self._sign(name, key, is_authority=False)
        version = folder / f"..{certificate.serial_number}"
        version.mkdir(parents=True)
        (version / "tls.crt").write_bytes(_pem(certificate))
        (version / "tls.key").write_bytes(_pem_key(key))
        (version / "ca.crt").write_bytes(_pem(self.certificate))
        fresh = folder / "..data_tmp"
        fresh.symlink_to(version.name)
        os.replace(fresh, folder / "..data")
        for file in ("tls.crt", "tls.key", "ca.crt"):
            if not (folder / file).is_symlink():
                (folder / file).symlink_to(Path("..data") / file)
        return certificate

    def _sign(self, name: x509.Name, key: Key, *, is_authority: bool) -> x509.Certificate:
        now = datetime.datetime.now(datetime.UTC)
        address = x509.IPAddress(ipaddress.ip_address(LOOPBACK))
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self.name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(hours=self.hours))
            .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([address]), critical=False)
            .sign(self.key, hashes.SHA256())
        )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _pem_key(key: Key) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


@pytest.fixture
def authority() -> Authority:
    return Authority()


@pytest.fixture
def files(tmp_path: Path) -> Path:
    return tmp_path / "tls"


@pytest.fixture
def door(tmp_path: Path, files: Path, authority: Authority) -> Iterator[Door]:
    authority.write(files)
    with open_door(tmp_path, tls="on", tls_directory=files) as opened:
        yield opened


def trusting(authority: Authority) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=_pem(authority.certificate).decode())
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def shown_certificate(door: Door, context: ssl.SSLContext) -> x509.Certificate:
    with (
        socket.create_connection((LOOPBACK, door.settings.rest_port), SECONDS) as connection,
        context.wrap_socket(connection, server_hostname=LOOPBACK) as encrypted,
    ):
        shown = encrypted.getpeercert(binary_form=True)
    assert shown is not None
    return x509.load_der_x509_certificate(shown)


@pytest.mark.parametrize("http2", [False, True], ids=["HTTP/1.1", "HTTP/2"])
def test_rest_over_tls(door: Door, authority: Authority, http2: bool) -> None:
    with httpx.Client(verify=trusting(authority), http2=http2, timeout=SECONDS) as client:
        response = client.get(f"https://{door.address}/api/v1/health")
    assert response.status_code == 200
    assert response.http_version == ("HTTP/2" if http2 else "HTTP/1.1")


def test_grpc_over_tls(door: Door, authority: Authority) -> None:
    credentials = grpc.ssl_channel_credentials(_pem(authority.certificate))
    with grpc.secure_channel(door.address, credentials) as channel:
        assert check_health(channel) == health_pb2.HealthCheckResponse.SERVING


def test_without_tls_there_is_nothing(door: Door) -> None:
    with door.client() as client, pytest.raises(httpx.TransportError):
        client.get("/api/v1/health")


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1:DeprecationWarning")
def test_old_versions_are_refused(door: Door, authority: Authority) -> None:
    context = trusting(authority)
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises((ssl.SSLError, ConnectionError)):
        shown_certificate(door, context)


def test_a_new_certificate_is_used_without_a_restart(
    door: Door, files: Path, authority: Authority
) -> None:
    context = trusting(authority)
    first = shown_certificate(door, context)
    second = authority.write(files)
    assert first.serial_number != second.serial_number
    eventually(lambda: shown_certificate(door, context).serial_number == second.serial_number)
    third = authority.write(files)
    eventually(lambda: shown_certificate(door, context).serial_number == third.serial_number)


def test_who_signs_for_clients_changes_without_a_restart(tmp_path: Path, files: Path) -> None:
    before, after = Authority(), Authority()
    before.write(files)
    before.write(tmp_path / "client before")
    after.write(tmp_path / "client after")
    settings = {"tls": "on", "tls_directory": files, "tls_client_certificates": True}
    with open_door(tmp_path, **settings) as door:

        def is_let_in(of: str, server: Authority) -> bool:
            folder = tmp_path / f"client {of}"
            credentials = grpc.ssl_channel_credentials(
                _pem(server.certificate),
                (folder / "tls.key").read_bytes(),
                (folder / "tls.crt").read_bytes(),
            )
            with grpc.secure_channel(door.address, credentials) as channel:
                try:
                    return check_health(channel) == health_pb2.HealthCheckResponse.SERVING
                except grpc.RpcError as error:
                    if error.code() is grpc.StatusCode.UNAVAILABLE:
                        return False
                    raise

        assert is_let_in("before", before)
        assert not is_let_in("after", before)
        after.write(files)
        eventually(lambda: is_let_in("after", after))
        eventually(lambda: not is_let_in("before", after))


def test_clients_show_a_certificate_where_they_must(
    tmp_path: Path, files: Path, authority: Authority
) -> None:
    authority.write(files)
    stranger = Authority()
    stranger.write(tmp_path / "stranger")
    settings = {"tls": "on", "tls_directory": files, "tls_client_certificates": True}
    with open_door(tmp_path, **settings) as door:

        def ask(folder: Path | None) -> int:
            context = trusting(authority)
            if folder is not None:
                context.load_cert_chain(folder / "tls.crt", folder / "tls.key")
            with httpx.Client(verify=context, timeout=SECONDS) as client:
                return client.get(f"https://{door.address}/api/v1/health").status_code

        assert ask(files) == 200
        for folder in (None, tmp_path / "stranger"):
            with pytest.raises(httpx.TransportError):
                ask(folder)


def expirations(door: Door) -> dict[str, float]:
    """When each certificate of the alert expires, by its name."""
    url = f"http://{LOOPBACK}:{door.settings.envoy_metrics_port}/stats/prometheus"
    return {
        sample.labels["envoy_tls_certificate"]: sample.value
        for family in text_string_to_metric_families(httpx.get(url).text)
        for sample in family.samples
        if sample.name == "envoy_listener_ssl_certificate_expiration_unix_time_seconds"
    }


def test_expirations_are_those_of_callers_connections(tmp_path: Path, files: Path) -> None:
    before, after, sooner = Authority(hours=2), Authority(hours=3), Authority(hours=1)
    first = before.write(files)
    sooner.write(tmp_path / "receiver")
    settings = {
        "tls": "on",
        "tls_directory": files,
        "tls_client_certificates": True,
        "envoy_admin_socket": tmp_path / "admin",
        "otel_exporter_otlp_endpoint": f"https://{LOOPBACK}:9",
        "otel_exporter_otlp_certificate": tmp_path / "receiver" / "ca.crt",
    }
    with open_door(tmp_path, **settings) as door:
        told = {"certificate": first, "client_ca": before.certificate}
        assert expirations(door) == {
            name: each.not_valid_after_utc.timestamp() for name, each in told.items()
        }
        renewed = after.write(files).not_valid_after_utc.timestamp()
        eventually(lambda: expirations(door)["certificate"] == renewed)
