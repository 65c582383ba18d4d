"""What a message says of its own delay, when it is sent."""

from typing import Any

import msgspec

from edged.delivery.age import age_at_most_ms, waited_ms
from edged.delivery.parcel import Parcel
from edged.domain.event import EventType
from edged.domain.message import MessageKind
from edged.domain.moment import Moment

UNREMARKABLE_MS = 1000
"""A job that waited less is not called delayed, and its bytes are sent as they were committed."""


def body_to_send(parcel: Parcel, now: Moment, event_max_age_ms: int | None) -> bytes:
    """The message's body as it is to be sent now.

    A job that waited says so in `edge.delayedMs`; an event says its age in `ageMs`, and one that is older
    than `event_max_age_ms` is `delayed` and keeps what it was in `was` (None: whatever its age, it stays
    what it was). A replay's time is neither old nor new, so that its bytes are never touched; nor are those
    of a presence, which is the state and not news, and those that are not a JSON object.
    """
    message = parcel.message
    if message.is_replay or message.kind is MessageKind.PRESENCE:
        return message.body
    if message.kind is MessageKind.JOB:
        waited = waited_ms(parcel, now)
        return message.body if waited < UNREMARKABLE_MS else _delayed_job(message.body, waited)
    return _aged_event(message.body, age_at_most_ms(parcel, now), waited_ms(parcel, now), event_max_age_ms)


def _delayed_job(body: bytes, waited: int) -> bytes:
    # Not by the types: the outbox may hold jobs of an edged with fields that this one does not know.
    job = _object(body)
    edge = job.get("edge")
    if not isinstance(edge, dict):
        return body
    edge["delayedMs"] = waited
    return msgspec.json.encode(job)


def _aged_event(body: bytes, age: int | None, waited: int, max_age: int | None) -> bytes:
    event = _object(body)
    if not event:
        return body
    event["ageMs"] = age if age is not None else max(waited, (max_age or 0) + 1)
    if max_age is not None and event["ageMs"] > max_age and event.get("type") != EventType.DELAYED:
        event = _as_delayed(event)
    return msgspec.json.encode(event)


def _object(body: bytes) -> dict[str, Any]:
    try:
        value = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return {}
    return value if isinstance(value, dict) else {}


def _as_delayed(event: dict[str, Any]) -> dict[str, Any]:
    """The event with `was` beside `type`, where its readers look for it."""
    told: dict[str, Any] = {}
    for name, value in event.items():
        told[name] = value
        if name == "type":
            told["type"] = EventType.DELAYED.value
            told["was"] = value
    return told
