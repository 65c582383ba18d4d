"""The small messages beside the job: one event a person, and who is there now."""

from enum import StrEnum

import msgspec

from edged.domain.wire import EDGE_SCHEMA, Wire


class EventType(StrEnum):
    """What an event says. A late one says `delayed` and keeps what it was in `was`."""

    KNOWN = "known"
    UNKNOWN = "unknown"
    LEFT = "left"
    DELAYED = "delayed"


class Event(Wire, frozen=True, kw_only=True):
    """Something a person did: came and was known or unknown, or left. Never retained.

    `id` is the same however often the event is sent. `age_ms` is how old it was when it was sent.
    """

    id: str
    type: EventType
    was: EventType | None = None
    namespace: str
    feed_id: str
    device: str
    job_id: str
    track_id: str
    identity_id: str | None = None
    name: str | None = None
    confidence: float | None = None
    group_id: str | None = None
    seen_before: int | None = None
    first_seen_at: int | None = None
    at: int
    age_ms: int
    schema: int = msgspec.field(default_factory=lambda: EDGE_SCHEMA)


class PresentPerson(Wire, frozen=True, kw_only=True):
    """Somebody who is in view. Without `identity_id`: somebody unknown, with the group of their faces."""

    track_id: str
    identity_id: str | None = None
    name: str | None = None
    group_id: str | None = None
    since: int


class Presence(Wire, frozen=True, kw_only=True):
    """Who is in view of a feed now. Retained; an explicit empty list when nobody is."""

    feed_id: str
    namespace: str
    device: str
    persons: tuple[PresentPerson, ...]
    at: int
    schema: int = msgspec.field(default_factory=lambda: EDGE_SCHEMA)


class PersonInNamespace(Wire, frozen=True, kw_only=True):
    """Somebody who is at one feed of a namespace or more.

    `feeds` has those where they are in view now; it is empty for who was seen lately and has not left yet.
    """

    identity_id: str | None = None
    name: str | None = None
    group_id: str | None = None
    since: int
    feeds: tuple[str, ...] = ()


class NamespacePresence(Wire, frozen=True, kw_only=True):
    """Who is at any feed that this device has in a namespace. Retained; an explicit empty list for nobody.

    It goes to MQTT alone, beside the outbox: only the latest is worth sending.
    """

    namespace: str
    device: str
    persons: tuple[PersonInNamespace, ...]
    at: int
    schema: int = msgspec.field(default_factory=lambda: EDGE_SCHEMA)
