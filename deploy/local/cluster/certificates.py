"""The certificates and keys of one local cluster, new for each run unless its state is kept.

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
    """Signs certificates into a folder; the CA's own key does not leave the memory.

    With `kept`, a folder, it does: that one has the CA and the key of ServiceAccount tokens, so
    that what was given to clients is good for the next run, too.
    """

    def __init__(self, folder: Path, kept: Path | None = None) -> None:
        self._folder = folder
        self._kept = kept
        if kept is not None:
            kept.mkdir(exist_ok=True, mode=0o700)
        self._ca = _authority(kept)
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
        folder, name = self._kept or self._folder, "service-account"
        if (pair := _pair(folder, name)).key.exists():
            return pair
        key = ec.generate_private_key(ec.SECP256R1())
        public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return _save(folder, name, public, private)

    def _issue(self, *identities: str, name: str, group: str | None = None) -> trustme.LeafCert:
        return self._ca.issue_cert(
            *identities,
            common_name=name,
            organization_name=group,
            key_type=trustme.KeyType.ECDSA,
        )

    def _write(self, file_name: str, leaf: trustme.LeafCert) -> KeyPair:
        [certificate] = leaf.cert_chain_pems
        private = leaf.private_key_pem.bytes()
        return _save(self._folder, file_name, certificate.bytes(), private)


def _authority(kept: Path | None) -> trustme.CA:
    """Return the CA that is kept in the folder, else a new one, which is kept."""
    if kept is not None and (pair := _pair(kept, "ca")).key.exists():
        return trustme.CA.from_pem(pair.certificate.read_bytes(), pair.key.read_bytes())
    made = trustme.CA(organization_name="krkn-grpc local CA", key_type=trustme.KeyType.ECDSA)
    if kept is not None:
        _save(kept, "ca", made.cert_pem.bytes(), made.private_key_pem.bytes())
    return made


def _pair(folder: Path, name: str) -> KeyPair:
    return KeyPair(folder / f"{name}.crt", folder / f"{name}.key")


def _save(folder: Path, name: str, public: bytes, private: bytes) -> KeyPair:
    pair = _pair(folder, name)
    pair.certificate.write_bytes(public)
    pair.key.touch(mode=0o600)
    pair.key.write_bytes(private)
    return pair
