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


@dataclass(frozen=True, slots=True)
class StoredFace:
    """A face that is kept: seen in a job, enrolled, or both.

    What was not kept of it is None: of a face enrolled from a file, most of this.

    Attributes:
        id: UUID; of one that was seen, the object's `edge.faceId`, also when it is enrolled.
        custom_id: of the image in a request.
        feed_id: where it was seen.
        identity_id: whose it is where it is enrolled, else who it was recognised as.
        enrolled: whether it stands for that identity.
        box: as the job had it.
        detection_score: 0 to 1.
        group_id: the group of its track.
        is_frontal: whether it looks into the camera.
        sharpness: 0 to 1; one half is where the default settings refuse a face as blurred.
        width_px, height_px: of the box, in the picture's pixels.
        created_ms: UTC milliseconds.
        job_id, image_id, track_id: where it was seen. The job may be deleted by now.
        quality: 0 to 1.
        source: of an enrolled face, where it came from, for people.
        has_chip: whether its aligned crop is kept.
        models: SHA-256 (hex) of the models that have embedded it.
    """

    id: str
    custom_id: str | None
    feed_id: str | None
    identity_id: str | None
    enrolled: bool
    box: WireBox | None
    detection_score: float | None
    group_id: str | None
    is_frontal: bool | None
    sharpness: float | None
    width_px: int | None
    height_px: int | None
    created_ms: int
    job_id: str | None
    image_id: str | None
    track_id: str | None
    quality: float | None
    source: str | None
    has_chip: bool
    models: tuple[str, ...]

    def has_embedding(self, model_hash: str) -> bool:
        """Whether that model has embedded it."""
        return model_hash in self.models


@dataclass(frozen=True, slots=True)
class StoredGroup:
    """A group of an unknown person's tracks, with the faces of jobs that are theirs.

    Attributes:
        id: UUID.
        first_seen_ms, last_seen_ms: UTC milliseconds, in the time of the feeds.
        visits: how often the person came.
        faces: the seen faces of its tracks that are kept, the oldest first.
    """

    id: str
    first_seen_ms: int
    last_seen_ms: int
    visits: int
    faces: tuple[StoredFace, ...]
