"""TLS as our sinks use it: verified always, with one's own authority where one is named."""

import ssl
from typing import Any

from edged.domain.errors import ConfigurationError
from edged.settings.sinks import MqttTls


class _ClosingContext(ssl.SSLContext):
    """Shakes hands while it wraps, because that closes the socket when the handshake fails.

    paho would shake hands later, and leave the socket of a failed handshake to the garbage collector.
    """

    def wrap_socket(self, *arguments: Any, **options: Any) -> ssl.SSLSocket:
        return super().wrap_socket(*arguments, **(options | {"do_handshake_on_connect": True}))


def verifying_context(ca_file: str | None) -> ssl.SSLContext:
    """A client's context that trusts `ca_file` (PEM), or the system's authorities.

    Raises ConfigurationError where the file cannot be used. Made for every connection anew, so that
    certificates may be renewed while the daemon runs.
    """
    context = _ClosingContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        if ca_file is None:
            context.load_default_certs(ssl.Purpose.SERVER_AUTH)
        else:
            context.load_verify_locations(cafile=ca_file)
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"the certificates in {ca_file} cannot be used: {_words(error)}",
            remedy="`ca_file` names a file with certificates in PEM, which the daemon's user can read.",
        ) from error
    return context


def client_context(tls: MqttTls) -> ssl.SSLContext:
    """The same with a client certificate, where one is configured."""
    context = verifying_context(tls.ca_file)
    if tls.certificate_file is None:
        return context
    password = tls.key_password.reveal() if tls.key_password else ""
    try:
        # Without a password of ours OpenSSL would ask for one at the terminal.
        context.load_cert_chain(tls.certificate_file, tls.key_file, lambda: password)
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"the client certificate {tls.certificate_file} with the key "
            f"{tls.key_file or tls.certificate_file} cannot be used: {_words(error)}",
            remedy="Both are PEM, belong together, and the daemon's user can read them; an encrypted key "
            "needs `key_password`.",
        ) from error
    return context


def _words(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return error.reason or "not understood by OpenSSL"
    return getattr(error, "strerror", None) or str(error)
