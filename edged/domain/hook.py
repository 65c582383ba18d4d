"""An address that jobs are posted to because a client of the API wishes it; the owner's sinks are others."""

from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from edged.domain.errors import EdgedError

HOOK_PREFIX: Final = "hook:"
"""What sink ids of hooks begin with. Ids in the configuration hold no colon."""

MOST_REGISTERED: Final = 8
"""Registered webhooks a client: every job is one more message for each of them."""
MOST_OF_REQUESTS: Final = 1000
"""Addresses of requests' webhooks with mail that waits. A receiver that is down is one, however many requests
name it."""


@dataclass(frozen=True, slots=True)
class Hook:
    """A webhook that a client of the API asked for.

    Attributes:
        id: a UUID.
        url: where it posts to; may hold secrets in its path and query, so it is never shown.
        secret: what its posts are signed with; None: they are not signed.
        client_id: whose it is; None where no client is known (a request over MQTT).
        namespaces: of a registered one, those whose jobs it is told. None in it: it is told none of them.
        created_ms: UTC milliseconds.
        is_registered: told every job until it is removed; else it is a request's, told that request's job.
    """

    id: str
    url: str = field(repr=False)
    secret: str | None = field(repr=False)
    client_id: str | None
    namespaces: tuple[str, ...]
    created_ms: int
    is_registered: bool

    @property
    def sink_id(self) -> str:
        """What the outbox calls it."""
        return f"{HOOK_PREFIX}{self.id}"

    @property
    def where(self) -> str:
        """The receiver, without what may be secret in its address: user, password, path and query."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def is_hook(sink_id: str) -> bool:
    """Whether a sink id is a hook's."""
    return sink_id.startswith(HOOK_PREFIX)


class HookLimitError(EdgedError):
    """No more hooks are taken: a client has as many as it may, or too many requests' webhooks wait."""
