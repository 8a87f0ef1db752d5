"""TLS as the kubeconfig says, with nothing written to a disk."""

import os
import ssl
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from controller.targets.probe_result import ProbeFailed, tls_failed, unauthorized
from krkn_grpc.resources.kubeconfig import ClientCertificate, Kubeconfig

# X509_V_ERR_ codes of OpenSSL.
_VERIFICATION = {
    9: "The cluster's certificate is not valid yet.",
    10: "The cluster's certificate has expired.",
    18: "The cluster's certificate is not signed by the given authority.",
    19: "The cluster's certificate is not signed by the given authority.",
    20: "The cluster's certificate is not signed by the given authority.",
    21: "The cluster's certificate is not signed by the given authority.",
    62: "The cluster's certificate is for another name.",
    64: "The cluster's certificate is for another address.",
}
# What a server says when it is the client's certificate that it does not like.
_ABOUT_OUR_CERTIFICATE = (
    "BAD_CERTIFICATE",
    "UNSUPPORTED_CERTIFICATE",
    "CERTIFICATE_REVOKED",
    "CERTIFICATE_EXPIRED",
    "CERTIFICATE_UNKNOWN",
    "CERTIFICATE_REQUIRED",
    "UNKNOWN_CA",
    "ACCESS_DENIED",
)


def tls_context(kubeconfig: Kubeconfig) -> ssl.SSLContext:
    """Make the context that verifies the cluster and shows the client certificate, if any."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_alpn_protocols(["http/1.1"])
    # No finite-field Diffie-Hellman: the remote chooses its size, and everyone waits for it.
    context.set_ciphers("ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE+AES")
    # As kubectl does: names stand in the subjectAltName only, and whatever certificate is given
    # as an authority is trusted, also one that another has signed.
    context.hostname_checks_common_name = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    try:
        if kubeconfig.insecure_skip_tls_verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        elif kubeconfig.certificate_authority is not None:
            context.load_verify_locations(cadata=kubeconfig.certificate_authority)
        else:
            context.load_default_certs(ssl.Purpose.SERVER_AUTH)
        if isinstance(kubeconfig.credentials, ClientCertificate):
            _show(kubeconfig.credentials, context)
    except ssl.SSLError:  # a key too short for today's TLS, say
        raise tls_failed("The kubeconfig's certificates cannot be used for TLS.") from None
    return context


def handshake_failure(error: OSError) -> ProbeFailed:
    """Say in our words why a handshake failed, or what a server said of us after it."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return tls_failed(
            _VERIFICATION.get(error.verify_code, "The cluster's certificate cannot be verified.")
        )
    reason = (error.reason or "") if isinstance(error, ssl.SSLError) else ""
    if "ALERT" in reason and reason.endswith(_ABOUT_OUR_CERTIFICATE):
        return unauthorized("The cluster refused the client certificate, or asks for one.")
    return tls_failed("The TLS handshake with the cluster failed.")


def _show(pair: ClientCertificate, context: ssl.SSLContext) -> None:
    with _file_of(pair.certificate + pair.key) as path:
        # Keys are checked to have no passphrase; without this OpenSSL would ask at the terminal.
        context.load_cert_chain(path, password=b"")


@contextmanager
def _file_of(text: str) -> Iterator[str]:
    """Give a path that OpenSSL can read the text from: it takes a client's key from files only.

    On Linux the file is memory that has no name and that no other user can open; elsewhere it is
    a temporary file for this user alone, gone again at once.
    """
    if sys.platform == "linux":
        descriptor = os.memfd_create("client-certificate", os.MFD_CLOEXEC)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(text)
            file.flush()
            yield f"/proc/self/fd/{descriptor}"
    else:
        with tempfile.NamedTemporaryFile("w", encoding="ascii") as file:
            file.write(text)
            file.flush()
            yield file.name
