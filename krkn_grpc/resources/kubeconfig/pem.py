"""Certificates and keys: PEM that really parses, written anew.

What comes out holds certificates and one key and nothing else: no comments, no text around the
blocks, no second key that someone left in the file.
"""

import re
from typing import TypeAlias

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from krkn_grpc.resources.kubeconfig.findings import Refused
from krkn_grpc.resources.kubeconfig.model import ClientCertificate
from krkn_grpc.resources.kubeconfig.values import base64_bytes

MAX_KEY_BYTES = 8 * 1024
"""The largest private key that is parsed; an RSA key of 8192 bits fits."""

_BEGIN = re.compile(rb"-----BEGIN ([^\r\n]*?)-----")
_NO_CERTIFICATES = "There is no PEM certificate in it."
_BAD_CERTIFICATE = "A PEM certificate in it cannot be parsed."

PrivateKey: TypeAlias = (
    rsa.RSAPrivateKey
    | ec.EllipticCurvePrivateKey
    | ed25519.Ed25519PrivateKey
    | ed448.Ed448PrivateKey
)


def ca_bundle(value: str) -> str:
    """Check a bundle of certificates, PEM or base64 of PEM, and give it as PEM."""
    if "-----" in value:
        return certificates(value.encode("utf-8", "replace"))
    pem = base64_bytes(value)
    if b"-----" not in pem:
        raise Refused("It must be PEM, or base64 of PEM (encoded once).")
    return certificates(pem)


def certificates(pem: bytes) -> str:
    """Check that every PEM block is a certificate, and there is one; give them as PEM."""
    return "".join(_text(certificate) for certificate in _certificates(pem))


def client_certificate(certificate: bytes, key: bytes) -> ClientCertificate:
    """Check a certificate chain and the private key of its first certificate."""
    chain = _certificates(certificate)
    private_key = _private_key(key)
    try:
        matches = _public(chain[0].public_key()) == _public(private_key.public_key())
    except (ValueError, UnsupportedAlgorithm):
        matches = False
    if not matches:
        raise Refused("The private key does not belong to the client certificate.")
    text = private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return ClientCertificate("".join(map(_text, chain)), text.decode("ascii"))


def _certificates(pem: bytes) -> list[x509.Certificate]:
    labels = _BEGIN.findall(pem)
    if not labels:
        raise Refused(_NO_CERTIFICATES)
    if any(label != b"CERTIFICATE" for label in labels):
        raise Refused("It must hold certificates only.")
    try:
        parsed = x509.load_pem_x509_certificates(pem)
    except (ValueError, UnsupportedAlgorithm):
        parsed = []
    if len(parsed) != len(labels):
        raise Refused(_BAD_CERTIFICATE)
    return parsed


def _private_key(pem: bytes) -> PrivateKey:
    if len(pem) > MAX_KEY_BYTES:
        raise Refused(f"The private key must have at most {MAX_KEY_BYTES} bytes.")
    if b"ENCRYPTED" in pem:
        raise Refused("The private key is encrypted; embed it without a passphrase.")
    try:
        # Proving that the factors are prime takes 40 ms for 2048 bits and 4 s for 8192, at each
        # use of a target. TLS itself does not ask for it, and the numbers are checked below.
        key = load_pem_private_key(pem, password=None, unsafe_skip_rsa_key_validation=True)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    match key:
        case rsa.RSAPrivateKey() if not _is_consistent(key):
            raise Refused("The numbers of the private key contradict each other.")
        case (
            rsa.RSAPrivateKey()
            | ec.EllipticCurvePrivateKey()
            | ed25519.Ed25519PrivateKey()
            | ed448.Ed448PrivateKey()
        ):
            return key
        case None:
            raise Refused("The private key cannot be parsed as PEM.")
        case _:
            raise Refused("The private key is of a kind that TLS does not use.")


def _is_consistent(key: rsa.RSAPrivateKey) -> bool:
    numbers = key.private_numbers()
    p, q, n = numbers.p, numbers.q, numbers.public_numbers.n
    excess = numbers.d * numbers.public_numbers.e - 1
    return (
        min(p, q) > 1
        and p * q == n
        and all(excess % (factor - 1) == 0 for factor in (p, q))
        and (numbers.dmp1, numbers.dmq1) == (numbers.d % (p - 1), numbers.d % (q - 1))
        and numbers.iqmp * q % p == 1
    )


def _public(key: CertificatePublicKeyTypes) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _text(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode("ascii")
