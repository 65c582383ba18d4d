"""How long a certificate is still good for."""

import ssl
from typing import Final

from edged.domain.errors import ConfigurationError
from edged.publish.mqtt_probe import end_of
from edged.settings.http import HttpTls

_DAY_MS: Final = 86_400_000
_SOON_DAYS: Final = 14
_STEPS: Final = 10


def certificate_doubt(until_ms: int | None, now_ms: int) -> tuple[str, str]:
    """A remedy where a certificate ends soon, else empty; and the end in words, for what was seen."""
    if until_ms is None:
        return "", ""
    days = (until_ms - now_ms) / _DAY_MS
    words = f", certificate good for {days:.0f} days"
    return ("renew the certificate" if days < _SOON_DAYS else ""), words


def own_certificate_end(tls: HttpTls) -> int | None:
    """When the HTTP server's certificate ends, UTC ms.

    Server and client shake hands in memory: that proves key and certificate too. Raises ConfigurationError
    where they do not fit, cannot be read, or the certificate is not good now.
    """
    password = tls.key_password.reveal() if tls.key_password else ""
    try:
        server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.load_cert_chain(tls.certificate_file, tls.key_file, lambda: password)
        client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        client.check_hostname = False
        # The leaf itself is trusted here: who issued it is the affair of whoever connects.
        client.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        client.load_verify_locations(cafile=tls.certificate_file)
        return end_of(_shaken(server, client))
    except (OSError, ValueError) as error:
        words = (
            getattr(error, "verify_message", "")
            or getattr(error, "reason", "")
            or getattr(error, "strerror", "")
        )
        raise ConfigurationError(
            f"the certificate {tls.certificate_file} with its key does not do: {words or 'not understood'}",
            remedy="both are PEM, belong together, are not out of date, and the daemon's user can read them",
        ) from error


def _shaken(server: ssl.SSLContext, client: ssl.SSLContext) -> object:
    """The server's certificate, as the client sees it after the handshake."""
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    sides = (client.wrap_bio(down, up), server.wrap_bio(up, down, server_side=True))
    for _ in range(_STEPS):
        waiting = 0
        for side in sides:
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                waiting += 1
        if not waiting:
            break
    return sides[0].getpeercert()
