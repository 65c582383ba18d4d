"""What is told of jobs, with its faces and pictures, to be kept."""

from collections.abc import Sequence

from builders.namespaces import MODEL, START_UTC_MS, random_chip, random_unit
from edged.domain.history import HistoryEntry, JobPicture, SeenFace
from edged.domain.identifiers import derived_id
from edged.domain.job import (
    FaceEdge,
    ImageStatus,
    Job,
    JobEdge,
    JobImage,
    JobObject,
    JobStatus,
    Verdict,
    WireBox,
)

BOX = WireBox(x_min=0.25, y_min=0.125, x_max=0.5, y_max=0.625)


def a_face_id(number: int) -> str:
    """The id of the face of that number."""
    return derived_id("face", number)


def a_track_of(number: int) -> str:
    """The id of the track that the face of that number is in, unless something else is said."""
    return derived_id("track", number)


def an_image_id(number: int) -> str:
    """The id of the image that the face of that number is in, likewise."""
    return derived_id("image", number)


def a_job_id(number: int) -> str:
    """The id of the job of that number."""
    return derived_id("job", number)


def a_seen_face(
    number: int = 1,
    *,
    track_id: str | None = None,
    image_id: str | None = None,
    feed_id: str | None = "door",
    custom_id: str | None = None,
    identity_id: str | None = None,
    model: str | None = MODEL,
    chip: bool = True,
    at_ms: int = 0,
) -> SeenFace:
    """A face of a job; the number makes its looks and its ids. Without a model it was not good enough."""
    return SeenFace(
        id=a_face_id(number),
        image_id=image_id or an_image_id(number),
        track_id=track_id or a_track_of(number),
        feed_id=feed_id,
        custom_id=custom_id,
        identity_id=identity_id,
        box=BOX,
        detection_score=0.9,
        width_px=320,
        height_px=360,
        quality=0.8,
        is_frontal=True,
        sharpness=0.7,
        model_hash=model,
        embedding=None if model is None else random_unit(number),
        chip=random_chip(number) if chip else None,
        created_ms=START_UTC_MS + at_ms,
    )


def an_object(face: SeenFace, *, group_id: str | None = None, name: str | None = None) -> JobObject:
    """The object of a job that the face is."""
    return JobObject(
        identity_id=face.identity_id,
        confidence=0.9,
        created_at=face.created_ms,
        bounding_box=face.box,
        edge=FaceEdge(
            face_id=face.id,
            track_id=face.track_id,
            decision=Verdict.UNKNOWN if face.identity_id is None else Verdict.KNOWN,
            name=name,
            group_id=group_id,
        ),
    )


def a_job(
    number: int = 1,
    faces: Sequence[SeenFace] = (),
    *,
    sequence: int = 1,
    status: JobStatus = JobStatus.COMPLETED_SUCCESSFULLY,
    feed_id: str | None = "door",
    custom_id: str | None = None,
    at_ms: int = 0,
    origin: str = "camera",
    group_id: str | None = None,
    name: str | None = None,
) -> Job:
    """A job in which these faces are, each in the image that it says."""
    image_ids = dict.fromkeys(face.image_id for face in faces) or {an_image_id(-number): None}
    is_open = status is JobStatus.IN_PROGRESS
    return Job(
        id=a_job_id(number),
        created_at=START_UTC_MS + at_ms,
        status=status,
        feed_id=feed_id,
        custom_id=custom_id,
        images=tuple(
            JobImage(
                id=image_id,
                url=f"edged://porch/{feed_id}/{image_id}",
                status=ImageStatus.IN_PROGRESS if is_open else ImageStatus.COMPLETED_SUCCESSFULLY,
                objects=tuple(
                    an_object(face, group_id=group_id, name=name)
                    for face in faces
                    if face.image_id == image_id
                ),
            )
            for image_id in image_ids
        ),
        edge=JobEdge(
            namespace="home",
            device="porch",
            sequence=sequence,
            origin="api" if origin == "api" else "camera",
            updated_at=START_UTC_MS + at_ms,
            delayed_ms=0,
        ),
    )


def a_picture(face: SeenFace, jpeg: bytes = b"\xff\xd8 a picture \xff\xd9") -> JobPicture:
    """The whole picture that the face is in."""
    return JobPicture(face.image_id, jpeg, face.created_ms)


def an_entry(
    number: int = 1, faces: Sequence[SeenFace] = (), *, pictures: bool = False, **job
) -> HistoryEntry:
    """A telling of the job of that number with its faces, and with their pictures where wanted."""
    shown = {face.image_id: face for face in faces} if pictures else {}
    return HistoryEntry(
        a_job(number, faces, **job), tuple(faces), tuple(a_picture(one) for one in shown.values())
    )
