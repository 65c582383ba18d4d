"""What is kept of jobs, to be asked for later: the job as told last, its faces, its pictures."""

from dataclasses import dataclass

from edged.domain.face import Chip, Embedding
from edged.domain.job import Job, WireBox


@dataclass(frozen=True, slots=True, eq=False)
class SeenFace:
    """A face that is an object of a job's image, with what it takes to enrol it.

    Attributes:
        id: as the object's `edge.faceId`.
        image_id, track_id: as the job has them. The track says which group it is in.
        feed_id: the job's; None where a request named none.
        custom_id: of the image in a request.
        identity_id: who it was recognised as.
        box: as the job has it.
        detection_score: 0 to 1.
        width_px, height_px: of the box, in the picture's pixels.
        quality: 0 to 1; None of a face nobody looked at closely, and so are the next two.
        is_frontal: whether it looks into the camera.
        sharpness: 0 to 1; one half is where the default settings refuse a face as blurred.
        model_hash: SHA-256 (hex) of the embedder; None without an embedding.
        embedding: unit length; only of good faces.
        chip: aligned crop, of faces that were looked at closely.
        created_ms: UTC milliseconds.
    """

    id: str
    image_id: str
    track_id: str
    feed_id: str | None
    custom_id: str | None
    identity_id: str | None
    box: WireBox
    detection_score: float
    width_px: int
    height_px: int
    quality: float | None
    is_frontal: bool | None
    sharpness: float | None
    model_hash: str | None
    embedding: Embedding | None
    chip: Chip | None
    created_ms: int


@dataclass(frozen=True, slots=True, eq=False)
class JobPicture:
    """The whole picture of one image of a job.

    Attributes:
        image_id: as the job has it.
        jpeg: upright, compressed.
        created_ms: UTC milliseconds.
    """

    image_id: str
    jpeg: bytes
    created_ms: int


@dataclass(frozen=True, slots=True, eq=False)
class HistoryEntry:
    """One telling of a job, and what is new of its faces and pictures.

    A face that was told before may come again, with what is said of it now.
    """

    job: Job
    faces: tuple[SeenFace, ...] = ()
    pictures: tuple[JobPicture, ...] = ()
