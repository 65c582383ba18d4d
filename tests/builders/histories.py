"""Jobs and faces as the history is told of them."""

from typing import Any

from builders.namespaces import MODEL, random_chip
from builders.recognition import an_embedding, at
from edged.domain.history import SeenFace
from edged.domain.identifiers import derived_id
from edged.domain.job import Job, JobEdge, JobStatus, WireBox


def a_job(number: int = 1, *, sequence: int = 1, **values: Any) -> Job:
    """A job of a camera, by default without images."""
    edge = JobEdge(
        namespace="home",
        device="porch",
        sequence=sequence,
        origin="camera",
        updated_at=at(0).utc_ms,
        delayed_ms=0,
    )
    asked: dict[str, Any] = {"status": JobStatus.IN_PROGRESS, "images": (), "feed_id": "hall"} | values
    return Job(id=derived_id("job", number), created_at=at(0).utc_ms, edge=edge, **asked)


def a_seen_face(number: int = 1, **values: Any) -> SeenFace:
    """A good face of that number."""
    asked: dict[str, Any] = {
        "id": derived_id("face", number),
        "image_id": derived_id("image", number),
        "track_id": derived_id("track", number),
        "feed_id": "hall",
        "custom_id": None,
        "identity_id": None,
        "box": WireBox(x_min=0.1, y_min=0.1, x_max=0.2, y_max=0.3),
        "detection_score": 0.9,
        "width_px": 64,
        "height_px": 96,
        "quality": 0.8,
        "is_frontal": True,
        "sharpness": 0.7,
        "model_hash": MODEL,
        "embedding": an_embedding(),
        "chip": random_chip(number),
        "created_ms": at(0).utc_ms,
    }
    return SeenFace(**(asked | values))
