"""The certificates and keys of one local cluster, new for each run.

Elliptic-curve keys: generating RSA keys would take longer than starting etcd.
"""

from dataclasses import dataclass
from pathlib import Path

import trustme
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

SERVER_NAMES = ("localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc")
SERVER_ADDRESSES = ("127.0.0.1", "::1", "10.0.0.1")


@dataclass(frozen=True)
class KeyPair:
    """The files of a certificate and of its private key, both PEM."""

    certificate: Path
    key: Path


class CertificateAuthority:
    """Signs certificates into a folder; the CA's own key never leaves the memory."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ca = trustme.CA(
            organization_name="krkn-grpc local CA", key_type=trustme.KeyType.ECDSA
        )
        self.pem = self._ca.cert_pem.bytes().decode()
        self.file = folder / "ca.crt"
        self.file.write_text(self.pem)

    def server(self, name: str, *addresses: str) -> KeyPair:
        """Issue a serving certificate for this machine's loopback names and addresses.

        `addresses` are others that it is valid for besides.
        """
        identities = dict.fromkeys((*SERVER_NAMES, *SERVER_ADDRESSES, *addresses))
        return self._write(name, self._issue(*identities, name=name))

    def client(self, user: str, group: str) -> KeyPair:
        """Issue a client certificate: Kubernetes reads the user from CN and the group from O."""
        # Without an identity its alternative name would be empty, which Go refuses.
        leaf = self._issue("client", name=user, group=group)
        return self._write(user.replace(":", "-"), leaf)

    def service_account_key(self) -> KeyPair:
        """Make the key that signs ServiceAccount tokens; `certificate` is the bare public key."""
        key = ec.generate_private_key(ec.SECP256R1())
        public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return self._save("service-account", public, private)

    def _issue(self, *identities: str, name: str, group: str | None = None) -> trustme.LeafCert:
        return self._ca.issue_cert(
            *identities,
            common_name=name,
            organization_name=group,
            key_type=trustme.KeyType.ECDSA,
        )

    def _write(self, file_name: str, leaf: trustme.LeafCert) -> KeyPair:
        [certificate] = leaf.cert_chain_pems
        return self._save(file_name, certificate.bytes(), leaf.private_key_pem.bytes())

    def _save(self, file_name: str, public: bytes, private: bytes) -> KeyPair:
        pair = KeyPair(self._folder / f"{file_name}.crt", self._folder / f"{file_name}.key")
        pair.certificate.write_bytes(public)
        pair.key.touch(mode=0o600)
        pair.key.write_bytes(private)
        return pair
