"""The last word on a job whose daemon died in the middle of it."""

from dataclasses import dataclass
from typing import Any

import msgspec

from edged.domain.job import ImageStatus, JobStatus
from edged.domain.message import Message, MessageKind, Reply


@dataclass(frozen=True, slots=True)
class OpenJob:
    """A job that is not final yet, as it was last committed.

    Attributes:
        job_id, namespace, feed_id: which.
        sequence: of its last update.
        body: that update, JSON.
        is_replay: it tells of a clip's own time.
        is_request, recipients, reply, client_id: of a request's job, whom it is told, as in `Message`.
    """

    job_id: str
    namespace: str
    feed_id: str
    sequence: int
    body: bytes
    is_replay: bool
    is_request: bool = False
    recipients: tuple[str, ...] = ()
    reply: Reply | None = None
    client_id: str = ""


def closing_message(orphan: OpenJob, utc_ms: int) -> Message:
    """The final message of an orphan.

    It is COMPLETED_PARTIAL_ERROR, or COMPLETED_ALL_ERROR when no image has an object; of a request, when no
    image was done. An image that was still in progress has failed with JOB_ERROR. A replay keeps its clip's
    time; any other is updated at `utc_ms`, never before its last update.

    Raises:
        ValueError: the orphan's body is not a job in JSON.
    """
    job = _decoded(orphan.body)
    name = _images_of(job)
    images = [_closed_image(image) for image in job[name]]
    usable = any(_is_usable(image, of_request=orphan.is_request) for image in images)
    status = JobStatus.COMPLETED_PARTIAL_ERROR if usable else JobStatus.COMPLETED_ALL_ERROR
    edge = job["edge"]
    updated = edge["updatedAt"] if orphan.is_replay else max(utc_ms, edge["updatedAt"])
    edge |= {"sequence": orphan.sequence + 1, "updatedAt": updated}
    if "delayedMs" in edge:
        edge["delayedMs"] = 0
    job |= {"status": status.value, name: images, "edge": edge}
    return Message(
        kind=MessageKind.JOB,
        namespace=orphan.namespace,
        feed_id=orphan.feed_id,
        subject_id=orphan.job_id,
        sequence=orphan.sequence + 1,
        is_final=True,
        body=msgspec.json.encode(job),
        at_ms=updated,
        is_replay=orphan.is_replay,
        is_request=orphan.is_request,
        recipients=orphan.recipients,
        reply=orphan.reply,
        client_id=orphan.client_id,
    )


def _decoded(body: bytes) -> dict[str, Any]:
    """A job as plain values: the update that installed this edged may have changed the types since."""
    job = msgspec.json.decode(body)
    try:
        sound = isinstance(job[_images_of(job)], list) and isinstance(job["edge"]["updatedAt"], int)
    except (KeyError, TypeError):
        sound = False
    if not sound:
        raise ValueError("the open job's body is not a job")
    return dict(job)


def _images_of(job: dict[str, Any]) -> str:
    """The name of a job's list of images: a detect job's is another."""
    return "imageResults" if "imageResults" in job else "images"


def _is_usable(image: dict[str, Any], *, of_request: bool) -> bool:
    """A picture that was asked for and looked at is an answer, though nobody is in it."""
    is_done = image.get("status") == ImageStatus.COMPLETED_SUCCESSFULLY
    return bool(image.get("objects")) or (of_request and is_done)


def _closed_image(image: dict[str, Any]) -> dict[str, Any]:
    in_progress = image.get("status") == ImageStatus.IN_PROGRESS
    return image | {"status": ImageStatus.JOB_ERROR.value} if in_progress else image
