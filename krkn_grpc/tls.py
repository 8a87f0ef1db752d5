"""Verifies our own cluster's certificate as kubectl does, with every Python version."""

import ssl


def cluster_context(*, ca_file: str | None = None, ca_pem: str | None = None) -> ssl.SSLContext:
    """Return a context that trusts these authorities, or the machine's if none is given.

    From Python 3.13 on the default enforces RFC 5280's requirements on issuers
    (VERIFY_X509_STRICT): the API servers of many clusters have a certificate that kubectl accepts
    and that does not name its authority's key. Every given authority is trusted, also one that
    another has signed (VERIFY_X509_PARTIAL_CHAIN), which is not the default of older Pythons.
    """
    context = ssl.create_default_context(cafile=ca_file, cadata=ca_pem)
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context
