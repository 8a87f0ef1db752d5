"""Certificates and keys: PEM that is parsed and encoded again.

The result holds certificates and one key and nothing else: no comments, no text around the blocks,
no key beside the certificates, no second key. As kubectl does, each field uses the blocks of its
own kind in a file that holds them all, and ignores the others.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

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
from krkn_grpc.resources.kubeconfig.model import MAX_BYTES, ClientCertificate
from krkn_grpc.resources.kubeconfig.values import base64_bytes

MAX_KEY_BYTES = 8 * 1024
"""The largest private key that is parsed; an RSA key of 8192 bits fits."""

_BEGIN = re.compile(rb"-----BEGIN ([^\r\n]*?)-----")
_CERTIFICATE = b"CERTIFICATE"
_PRIVATE_KEY = b"PRIVATE KEY"

PrivateKey: TypeAlias = (
    rsa.RSAPrivateKey
    | ec.EllipticCurvePrivateKey
    | ed25519.Ed25519PrivateKey
    | ed448.Ed448PrivateKey
)


def ca_bundle(value: str) -> str:
    """Check a bundle of certificates, PEM or base64 of PEM, and return it as PEM."""
    if len(value) > 2 * MAX_BYTES:
        raise Refused(f"It must have at most {MAX_BYTES // 1024} KiB.")
    if "-----" in value:
        return certificates(value.encode("utf-8", "replace"))
    pem = base64_bytes(value)
    if b"-----" not in pem:
        raise Refused("It must be PEM, or base64 of PEM (encoded once).")
    return certificates(pem)


def certificates(pem: bytes) -> str:
    """Check all certificates, of which there must be at least one, and return them as PEM."""
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


class _Block(NamedTuple):
    label: bytes
    text: bytes


def _blocks(pem: bytes) -> Iterator[_Block]:
    at = 0
    while (begin := _BEGIN.search(pem, at)) is not None:
        end = b"-----END %s-----" % begin[1]
        found = pem.find(end, begin.end())
        if found < 0:
            raise Refused("A PEM block in it cannot be parsed: it has no end.")
        at = found + len(end)
        yield _Block(begin[1], pem[begin.start() : at])


def _certificates(pem: bytes) -> list[x509.Certificate]:
    blocks = [block.text for block in _blocks(pem) if block.label == _CERTIFICATE]
    if not blocks:
        raise Refused("There is no PEM certificate in it.")
    try:
        return [x509.load_pem_x509_certificate(block) for block in blocks]
    except (ValueError, UnsupportedAlgorithm):
        parsed = None
    if parsed is None:
        raise Refused("A PEM certificate in it cannot be parsed.")
    return parsed


def _private_key(pem: bytes) -> PrivateKey:
    keys = (block for block in _blocks(pem) if block.label.endswith(_PRIVATE_KEY))
    block = next(keys, None)
    if block is None:
        raise Refused("There is no PEM private key in it.")
    if len(block.text) > MAX_KEY_BYTES:
        raise Refused(f"The private key must have at most {MAX_KEY_BYTES} bytes.")
    if b"ENCRYPTED" in block.text:
        raise Refused("The private key is encrypted; embed it without a passphrase.")
    try:
        # Proving that the factors are prime takes 40 ms for 2048 bits and 4 s for 8192, per use of
        # a target. TLS itself does not require it, and the numbers are checked below.
        key = load_pem_private_key(block.text, password=None, unsafe_skip_rsa_key_validation=True)
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
