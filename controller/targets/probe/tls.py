"""TLS as the kubeconfig specifies it, on Linux without files on disk."""

import os
import ssl
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from controller.targets.probe.result import ProbeFailed, tls_failed, unauthorized
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
# TLS alerts with which a server rejects the client certificate.
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
    """Return a context that verifies the cluster and presents the client certificate, if any."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_alpn_protocols(["http/1.1"])
    # No finite-field Diffie-Hellman: the remote chooses its size, and the computation would
    # block the event loop.
    context.set_ciphers("ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE+AES")
    # As kubectl does: only names in the subjectAltName count, and any certificate given as an
    # authority is trusted, even if it is not self-signed.
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
    """Return why a handshake failed, or why the server rejected the client after it."""
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
    """Yield a path with the text, for OpenSSL, which reads a client's key only from files.

    On Linux the file is anonymous memory that no other user can open; elsewhere it is a temporary
    file for this user alone, deleted at once after use.
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
