"""From a face in a job to what the history keeps of it."""

import math
from typing import Final

from edged.domain.face import Face
from edged.domain.history import SeenFace
from edged.domain.job import JobObject

FRONTAL_FROM: Final = math.cos(math.radians(25))
"""Frontality from which a face counts as looking into the camera. The mesh's angles are a few degrees off, so
that the 5 degrees of a passport picture (ISO/IEC 19794-5) would call hardly any face frontal; at 40 degrees,
where the settings refuse a face as turned away, nobody would."""


def seen_face_of(
    obj: JobObject,
    face: Face,
    *,
    image_id: str,
    feed_id: str | None,
    custom_id: str | None,
    model_hash: str,
    min_sharpness: float,
    width_px: int,
    height_px: int,
) -> SeenFace:
    """What the history keeps of one object of a job.

    Of a face that nobody looked at closely in this picture, nothing is made up: quality, sharpness, chip and
    embedding stay None.

    Args:
        obj: the object, as the job tells it.
        face: what it was made from.
        image_id: of the job's image that it is in.
        feed_id: the job's.
        custom_id: of the image in a request.
        model_hash: SHA-256 (hex) of the embedder.
        min_sharpness: as the settings have it.
        width_px: of the picture.
        height_px: the same.
    """
    inside = face.detection.box.clipped(width_px, height_px)
    quality = face.quality
    return SeenFace(
        id=obj.edge.face_id,
        image_id=image_id,
        track_id=obj.edge.track_id,
        feed_id=feed_id,
        custom_id=custom_id,
        identity_id=obj.identity_id,
        box=obj.bounding_box,
        detection_score=min(1.0, max(0.0, face.detection.score)),
        width_px=round(inside.width),
        height_px=round(inside.height),
        quality=quality.score if quality else None,
        is_frontal=quality.frontality >= FRONTAL_FROM if quality else None,
        sharpness=share_of_sharpness(quality.sharpness, min_sharpness) if quality else None,
        model_hash=None if face.embedding is None else model_hash,
        embedding=face.embedding,
        chip=face.chip,
        created_ms=obj.created_at,
    )


def share_of_sharpness(sharpness: float, least: float) -> float:
    """Sharpness as 0 to 1: one half at the least that is not refused, towards 1 above it."""
    if least <= 0:
        return 1.0
    return sharpness / (sharpness + least)
