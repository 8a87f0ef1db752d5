"""Certificates of a service mesh: their only name is a URI that says namespace and account."""

import datetime
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

TRUST_DOMAIN = "cluster.local"
_NOW = datetime.datetime.now(datetime.UTC)
_VALID = (_NOW - datetime.timedelta(hours=1), _NOW + datetime.timedelta(hours=1))


def identity(namespace: str, account: str) -> str:
    """Return the URI of a workload."""
    return f"spiffe://{TRUST_DOMAIN}/ns/{namespace}/sa/{account}"


@dataclass(frozen=True)
class Workload:
    """The files of a workload's certificate and key."""

    certificate: Path
    key: Path


class MeshAuthority:
    """The authority of a mesh; its files are in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, TRUST_DOMAIN)])
        is_ca = x509.BasicConstraints(ca=True, path_length=None)
        made = self._builder(self._key.public_key(), self._name).add_extension(is_ca, critical=True)
        self.file = folder / "mesh-ca.pem"
        self.file.write_bytes(
            made.sign(self._key, hashes.SHA256()).public_bytes(Encoding.PEM),
        )

    def issue(self, uri: str) -> Workload:
        """Issue a certificate without a subject, as Istio does."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = x509.SubjectAlternativeName([x509.UniformResourceIdentifier(uri)])
        leaf = self._builder(key.public_key(), x509.Name([])).add_extension(names, critical=True)
        file = self._folder / uri.rpartition("/")[2]
        issued = Workload(file.with_suffix(".pem"), file.with_suffix(".key"))
        issued.certificate.write_bytes(
            leaf.sign(self._key, hashes.SHA256()).public_bytes(Encoding.PEM)
        )
        issued.key.write_bytes(
            key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        )
        return issued

    def _builder(
        self, key: ec.EllipticCurvePublicKey, subject: x509.Name
    ) -> x509.CertificateBuilder:
        builder = x509.CertificateBuilder(self._name, subject, key, x509.random_serial_number())
        return builder.not_valid_before(_VALID[0]).not_valid_after(_VALID[1])
