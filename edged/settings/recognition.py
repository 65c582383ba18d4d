"""The decisions: motion, detection, tracking, quality, matching, and what becomes a job."""

from typing import Annotated, Literal

from edged.settings.quantities import Duration, FalseAccept, Section, key


class Models(Section, frozen=True, kw_only=True):
    """Which models run, and how."""

    directory: Annotated[
        str | None,
        key(
            "Folder of models of your own, searched before those that came with edged; a card there hides the"
            " shipped one of its name.",
            min_length=1,
        ),
    ] = None
    detector: Annotated[
        str,
        key(
            "Card of the detector; `auto` takes the one for far faces made for the installed runtime.",
            min_length=1,
        ),
    ] = "auto"
    landmarks: Annotated[str, key("Card of the landmark model.", min_length=1)] = "face-landmarks"
    embedder: Annotated[
        str,
        key(
            "Card of the embedder; `auto` takes the one that `edged models use` chose, else the one made for"
            " the runtime that is installed.",
            min_length=1,
        ),
    ] = "auto"
    threads: Annotated[int, key("Threads that one inference may use.", ge=1, le=16)] = 2
    delegate: Annotated[
        str | None,
        key(
            "Shared object that computes models instead of the CPU, such as `libedgetpu.so.1`: a path, or a"
            " name that the system's loader finds.",
            min_length=1,
        ),
    ] = None
    delegate_models: Annotated[
        tuple[Literal["detector", "landmarks", "embedder"], ...],
        key("Which models it computes; without any, the detector and the embedder where they take int8."),
    ] = ()
    delegate_options: Annotated[
        tuple[
            Annotated[
                str,
                key(
                    "Of the delegate's own.",
                    pattern=r"[^=\s]+=.*",
                    form="`name=value`, as the delegate's makers say",
                ),
            ],
            ...,
        ],
        key("What the delegate is told, one `name=value` an item."),
    ] = ()
    delegate_required: Annotated[
        bool, key("End with an error where the delegate fails; else the CPU is used, and it is said.")
    ] = False


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

    min_score: Annotated[
        float | None,
        key("Least score of a detection; without it the one in the detector's card.", ge=0.1, le=0.99),
    ] = None
    min_face_px: Annotated[float, key("Least side of a face's box, pixels.", ge=8, le=2000)] = 24.0


class Tracking(Section, frozen=True, kw_only=True):
    """How faces are followed."""

    confirm_after: Annotated[
        int, key("Looks that must agree on a face before a track is believed.", ge=1, le=30)
    ] = 3
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
    max_occlusion: Annotated[
        float,
        key(
            "Most that eyes or mouth may seem covered, 0 to 1; with 1 covered faces count, but for less.",
            ge=0,
            le=1,
        ),
    ] = 1.0
    min_presence: Annotated[
        float, key("Least certainty of the landmark model that it is a face.", ge=0, le=1)
    ] = 0.5


class Recognition(Section, frozen=True, kw_only=True):
    """When a track is somebody."""

    false_accept: Annotated[
        FalseAccept,
        key(
            "Share of strangers' tracks that may be taken for an enrolled person: `1 in 10_000 tracks`, or"
            " `relaxed` (1 in 100), `balanced` (1 in 1_000), `strict` (1 in 10_000), `strictest` (1 in"
            " 100_000). Less costs more misses.",
            at_least="1 in 10_000_000",
            at_most="1 in 10",
        ),
    ] = FalseAccept(1e-4)
    similarity_offset: Annotated[
        float,
        key(
            "Added to the similarity that is asked for before a name is said; `edged calibrate` proposes it"
            " from the people and the strangers of this house.",
            ge=-0.03,
            le=0.05,
        ),
    ] = 0.0
    margin: Annotated[
        float, key("Least distance of the best identity from the second best, in similarity.", ge=0, le=0.5)
    ] = 0.01
    min_faces: Annotated[
        int,
        key("Good faces before a track is decided; one less where the evidence is strong.", ge=1, le=32),
    ] = 3
    unknown_after: Annotated[
        int,
        key(
            "Good faces before a track is called unknown; fewer where nobody resembles it, one more where"
            " somebody nearly fits.",
            ge=1,
            le=31,
        ),
    ] = 5
    embeddings_per_s: Annotated[
        float, key("Embeddings in a second, a track, while it is undecided.", gt=0, le=30)
    ] = 5.0
    embeddings_per_s_decided: Annotated[
        float, key("The same once it is decided; half of it after twelve good faces.", gt=0, le=30)
    ] = 1.0


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
