"""Where the server listens: its sockets, and its certificate."""

import errno
import os
import socket
import ssl
from pathlib import Path
from typing import Any, Final

from edged.domain.errors import ConfigurationError
from edged.settings.http import HttpTls

_BACKLOG: Final = 128
_LAST_PORT: Final = 65_535
_ELSEWHERE: Final = {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}


def listening_sockets(listen: str) -> list[socket.socket]:
    """Sockets that listen, non-blocking: one for each address that the name stands for.

    Args:
        listen: `127.0.0.1:8080`, `[::1]:8080`, `localhost:8080`; `[::]` stands for IPv4 too.

    Raises ConfigurationError where it is not to be had.
    """
    host, _, port = listen.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    no_address = ConfigurationError(
        f"`http.listen`: {listen} is no address of this machine",
        remedy="write an address that `ip address` shows, or 0.0.0.0 for all",
    )
    if int(port) > _LAST_PORT:  # which the resolver would take, and cut
        raise no_address
    try:
        found = socket.getaddrinfo(host, int(port), type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError:
        raise no_address from None
    sockets: list[socket.socket] = []
    missing: OSError | None = None
    for family, _, _, _, address in dict.fromkeys(found):
        try:
            sockets.append(_listening(family, address, is_dual=host == "::"))
        except OSError as error:
            missing = error
            if error.errno not in _ELSEWHERE:
                break
    if missing is not None and (not sockets or missing.errno not in _ELSEWHERE):
        for one in sockets:
            one.close()
        raise _unusable(listen, missing)
    return sockets


def _listening(family: int, address: tuple[Any, ...], *, is_dual: bool) -> socket.socket:
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(not is_dual))
        made.bind(address)
        made.listen(_BACKLOG)
        made.setblocking(False)
    except OSError:
        made.close()
        raise
    return made


def _unusable(listen: str, error: OSError) -> ConfigurationError:
    remedies = {
        errno.EADDRINUSE: "another program listens there (`ss -ltnp` says which); choose another port",
        errno.EACCES: "ports below 1024 are root's; choose another one",
        errno.EADDRNOTAVAIL: "this machine does not have that address; `ip address` shows those it has",
    }
    return ConfigurationError(
        f"`http.listen`: cannot listen at {listen}: {os.strerror(error.errno or 0)}",
        remedy=remedies.get(error.errno or 0, "choose another address or port"),
    )


def server_context(settings: HttpTls) -> ssl.SSLContext:
    """TLS of a server, 1.2 and newer; raises ConfigurationError where certificate or key cannot be used."""
    for name, file in (("certificate_file", settings.certificate_file), ("key_file", settings.key_file)):
        _readable(name, file)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    # Without a password OpenSSL would ask for one at the terminal.
    password = "" if settings.key_password is None else settings.key_password.reveal()
    try:
        context.load_cert_chain(settings.certificate_file, settings.key_file, password)
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or "the key's password is wrong or missing"
        raise ConfigurationError(
            f"`http.tls`: {settings.certificate_file} and {settings.key_file} cannot be used: {reason}",
            remedy="both are PEM, and the key belongs to the first certificate of the file",
        ) from None
    return context


def _readable(name: str, file: str) -> None:
    try:
        with Path(file).open("rb") as opened:
            opened.read(1)
    except OSError as error:
        raise ConfigurationError(
            f"`http.tls.{name}`: {file} cannot be read: {error.strerror}",
            remedy="the service's user must be able to read it",
        ) from None
