"""What is kept of jobs, to be asked for by the API; only where `http` is configured."""

from typing import Annotated

from edged.settings.quantities import Duration, Section, Size, key


class JobHistory(Section, frozen=True, kw_only=True):
    """Jobs, as they were told last."""

    max_age: Annotated[Duration, key("A job is deleted when so old.", at_least="1 min", at_most="3650 d")] = (
        Duration(30 * 86400)
    )
    most: Annotated[int, key("Jobs of a namespace, at most; the oldest make room.", ge=10, le=1_000_000)] = (
        10_000
    )
    max_bytes: Annotated[
        Size, key("Bytes of jobs of a namespace; the oldest make room.", at_least="1 MB", at_most="1000 GB")
    ] = Size(100_000_000)


class FaceHistory(Section, frozen=True, kw_only=True):
    """Faces of jobs, with their embeddings and aligned crops: an identity can be made of them."""

    max_age: Annotated[
        Duration, key("A face is deleted when so old.", at_least="1 min", at_most="3650 d")
    ] = Duration(7 * 86400)
    most: Annotated[int, key("Faces of a namespace, at most; the oldest make room.", ge=10, le=1_000_000)] = (
        2000
    )
    max_bytes: Annotated[
        Size,
        key(
            "Bytes of the faces' crops of a namespace; the oldest make room.",
            at_least="1 MB",
            at_most="1000 GB",
        ),
    ] = Size(200_000_000)


class PictureHistory(Section, frozen=True, kw_only=True):
    """Whole pictures of jobs, as JPEG."""

    keep: Annotated[bool, key("Whether whole pictures are kept.")] = False
    max_age: Annotated[
        Duration, key("A picture is deleted when so old.", at_least="1 min", at_most="3650 d")
    ] = Duration(86400)
    max_bytes: Annotated[
        Size,
        key("Bytes of pictures of a namespace; the oldest make room.", at_least="1 MB", at_most="1000 GB"),
    ] = Size(200_000_000)


class History(Section, frozen=True, kw_only=True):
    """What is kept of jobs. Without `http` nobody could ask for it, and nothing is kept."""

    jobs: Annotated[JobHistory, key("Jobs.")] = JobHistory()
    faces: Annotated[FaceHistory, key("Their faces.")] = FaceHistory()
    pictures: Annotated[PictureHistory, key("Their pictures.")] = PictureHistory()
