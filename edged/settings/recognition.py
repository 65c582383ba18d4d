"""The decisions: motion, detection, tracking, quality, matching, and what becomes a job."""

from typing import Annotated, Literal

from edged.settings.quantities import Duration, Section, key


class Models(Section, frozen=True, kw_only=True):
    """Which models run, and how."""

    directory: Annotated[
        str | None, key("Folder of the models; without it the ones that came with edged.", min_length=1)
    ] = None
    detector: Annotated[str, key("Card of the detector.", min_length=1)] = "blazeface-full-range"
    landmarks: Annotated[str, key("Card of the landmark model.", min_length=1)] = "face-landmarks"
    embedder: Annotated[
        str,
        key(
            "Card of the embedder; `auto` takes the one made for the runtime that is installed.", min_length=1
        ),
    ] = "auto"
    threads: Annotated[int, key("Threads that one inference may use.", ge=1, le=16)] = 2


class Motion(Section, frozen=True, kw_only=True):
    """The gate before the detector: a still scene costs next to nothing."""

    enabled: Annotated[bool, key("Without it every frame is searched for faces.")] = True
    open_at: Annotated[float, key("Share of the picture that must change to open the gate.", gt=0, le=1)] = (
        0.004
    )
    close_at: Annotated[
        float, key("Share below which it may close again; less than `open_at`.", ge=0, le=1)
    ] = 0.002
    hold: Annotated[
        Duration, key("How long it stays open after the last change.", at_least="0 s", at_most="1 h")
    ] = Duration(2)
    recheck: Annotated[
        Duration,
        key("A still scene is searched once in so long all the same.", at_least="1 s", at_most="1 d"),
    ] = Duration(10)


class Detection(Section, frozen=True, kw_only=True):
    """Which detections are believed."""

    min_score: Annotated[float, key("Least score of a detection.", ge=0.1, le=0.99)] = 0.5
    min_face_px: Annotated[float, key("Least side of a face's box, pixels.", ge=8, le=2000)] = 24.0


class Tracking(Section, frozen=True, kw_only=True):
    """How faces are followed."""

    confirm_after: Annotated[int, key("Frames with the face before a track is believed.", ge=1, le=30)] = 3
    lost_after: Annotated[
        Duration, key("A track without detections ends after so long.", at_least="100 ms", at_most="1 min")
    ] = Duration(1.5)


class Quality(Section, frozen=True, kw_only=True):
    """What a face must be like to be embedded."""

    min_size_px: Annotated[float, key("Least distance between the eyes, pixels.", ge=4, le=500)] = 16.0
    min_sharpness: Annotated[
        float,
        key(
            "Least variance of the Laplacian of the aligned crop, at half its scale and usual contrast.",
            ge=0,
            le=10000,
        ),
    ] = 25.0
    min_brightness: Annotated[float, key("Least mean grey value, 0 to 255.", ge=0, le=255)] = 25.0
    max_brightness: Annotated[float, key("Greatest mean grey value, 0 to 255.", ge=0, le=255)] = 230.0
    min_contrast: Annotated[float, key("Least standard deviation of the grey values.", ge=0, le=128)] = 6.0
    max_yaw_deg: Annotated[float, key("Most the head may be turned to a side, degrees.", ge=1, le=90)] = 40.0
    max_pitch_deg: Annotated[float, key("Most the head may be turned up or down, degrees.", ge=1, le=90)] = (
        35.0
    )
    max_roll_deg: Annotated[float, key("Most the head may be tilted, degrees.", ge=1, le=180)] = 45.0
    min_presence: Annotated[
        float, key("Least certainty of the landmark model that it is a face.", ge=0, le=1)
    ] = 0.5


class Recognition(Section, frozen=True, kw_only=True):
    """When a track is somebody."""

    false_accept: Annotated[
        Literal["1 in 100", "1 in 1000", "1 in 10000"],
        key("Share of strangers' tracks that may be taken for an enrolled person; less costs more misses."),
    ] = "1 in 10000"
    margin: Annotated[
        float, key("Least distance of the best identity from the second best.", ge=0, le=0.5)
    ] = 0.01
    min_faces: Annotated[int, key("Good faces before a track is decided.", ge=1, le=64)] = 3
    unknown_after: Annotated[int, key("Good faces before a track is called unknown.", ge=1, le=64)] = 5
    embeddings_per_s: Annotated[
        float, key("Embeddings in a second, a track, while it is undecided.", gt=0, le=30)
    ] = 5.0
    embeddings_per_s_decided: Annotated[float, key("The same once it is decided.", gt=0, le=30)] = 1.0


class Sightings(Section, frozen=True, kw_only=True):
    """What becomes a job, and when it ends."""

    close_after: Annotated[
        Duration, key("A job is final when no face was seen for so long.", at_least="100 ms", at_most="1 h")
    ] = Duration(3)
    max_age: Annotated[
        Duration,
        key("A job is final when it is so old, whoever is still there.", at_least="1 s", at_most="1 d"),
    ] = Duration(600)
    max_images: Annotated[int, key("A job is final when it has so many images.", ge=1, le=64)] = 64
    min_interval: Annotated[
        Duration, key("Updates of a job are at least so far apart.", at_least="0 s", at_most="1 min")
    ] = Duration(1)
    bounding_box: Annotated[Literal["fractions", "pixels"], key("How boxes are written in jobs.")] = (
        "fractions"
    )
