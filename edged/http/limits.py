"""How much of the server one connection may take, and for how long."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """What the other side may delay, and how often.

    Attributes:
        connections: at once; further ones are closed.
        headers_s: from the connection, or a request's first byte, to the end of its headers.
        body_s: for a body, and a second more for each `body_bytes_a_s` of it that came.
        body_bytes_a_s: as slow as a body may be in the long run.
        linger_s: for which a body that was refused is still read, and thrown away.
        unread_s: for which an answer may be left unread.
        handshake_s: for that of TLS.
        idle_s: between two requests.
        grace_s: for answers that were begun when the server stops.
        threads: in which calls run.
        waiting: calls that may wait for one; each holds its request, whose body counts elsewhere.
    """

    connections: int = 256
    headers_s: float = 10.0
    body_s: float = 15.0
    body_bytes_a_s: int = 32_000
    unread_s: float = 20.0
    linger_s: float = 2.0
    handshake_s: float = 10.0
    idle_s: int = 15
    grace_s: int = 3
    threads: int = 4
    waiting: int = 64
