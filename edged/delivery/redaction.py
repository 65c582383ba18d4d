"""Taking people out of messages that are not sent yet: pure, bytes in and bytes out.

A job loses their objects and keeps its images, so that its readers still learn that it ended. An event loses
who it is about: `known` without an identity is somebody who was erased since. A presence loses the person.
Everything else stays as it was told.
"""

from collections.abc import Collection, Mapping
from typing import Any, Final

import msgspec

from edged.domain.message import MessageKind

_SAYS_WHO: Final = ("identityId", "name", "confidence")
"""What an event says of a person."""


def mentions(body: bytes, identity_ids: Collection[str]) -> bool:
    """Whether a body can be about one of these people: quick, and never wrong when it says no."""
    return any(identity_id.encode() in body for identity_id in identity_ids)


def tracks_in(kind: MessageKind, body: bytes, identity_ids: Collection[str]) -> set[str]:
    """The tracks that a message says are theirs; raises ValueError for a body that is no such message."""
    told = _decoded(body)
    if kind is MessageKind.JOB:
        objects = [one for image in _images(told) for one in _list(image, "objects")]
        return {
            str(one["edge"]["trackId"])
            for one in objects
            if one.get("identityId") in identity_ids and "trackId" in one.get("edge", {})
        }
    people = _list(told, "persons") if kind is MessageKind.PRESENCE else [told]
    return {str(one["trackId"]) for one in people if one.get("identityId") in identity_ids}


def redacted(
    kind: MessageKind, body: bytes, identity_ids: Collection[str], track_ids: Collection[str] = ()
) -> bytes | None:
    """The body without these people; None where nothing of them is in it.

    Of the tracks, a job's objects go that say nobody: they were theirs before it was known whose they are.
    Raises ValueError for a body that is no such message.
    """
    told = _decoded(body)
    if kind is MessageKind.JOB:
        changed = _job_without(told, identity_ids, track_ids)
    elif kind is MessageKind.PRESENCE:
        persons = [one for one in _list(told, "persons") if one.get("identityId") not in identity_ids]
        changed = told | {"persons": persons} if len(persons) < len(told["persons"]) else None
    else:
        is_theirs = told.get("identityId") in identity_ids
        changed = {name: value for name, value in told.items() if name not in _SAYS_WHO}
        changed = changed if is_theirs else None
    return None if changed is None else msgspec.json.encode(changed)


def _job_without(
    job: dict[str, Any], identity_ids: Collection[str], track_ids: Collection[str]
) -> dict[str, Any] | None:
    images = []
    taken = 0
    for image in _images(job):
        objects = _list(image, "objects")
        kept = [one for one in objects if not _is_theirs(one, identity_ids, track_ids)]
        taken += len(objects) - len(kept)
        images.append(image if len(kept) == len(objects) else image | {"objects": kept})
    return job | {"images": images} if taken else None


def _is_theirs(one: Mapping[str, Any], identity_ids: Collection[str], track_ids: Collection[str]) -> bool:
    said = one.get("identityId")
    if said is not None:
        return said in identity_ids
    return one.get("edge", {}).get("trackId") in track_ids


def _images(job: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A detect job has `imageResults` instead, and nobody is named in those."""
    return _list(job, "images") if "images" in job else []


def _list(told: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    value = told.get(name, [])
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise ValueError(f"`{name}` is not what it is in a message")
    return value


def _decoded(body: bytes) -> dict[str, Any]:
    """As plain values: the edged that wrote it may have had other types."""
    told = msgspec.json.decode(body)
    if not isinstance(told, dict):
        raise ValueError("the body is no message")  # noqa: TRY004 - of a value, as all of these
    return told
