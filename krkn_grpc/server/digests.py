"""Digests of secrets from which the secrets cannot be recovered. Pure."""

import hashlib

# About 50 ms and 16 MiB (RFC 7914): the reader of a digest cannot guess many secrets.
_COST, _BLOCKS, _LANES = 2**14, 8, 1


def slow_digest(secret: bytes, salt: str) -> str:
    """Return a digest of a secret, in hexadecimal digits; takes 50 ms."""
    return hashlib.scrypt(secret, salt=salt.encode(), n=_COST, r=_BLOCKS, p=_LANES).hex()
