"""A model's card: what it is, where it came from, what goes in and out, and how to see that it works."""

import hashlib
from typing import Annotated, Literal

import msgspec

from edged.recognition.calibration import Statistics
from edged.vision.alignment import Template
from edged.vision.blazeface import AnchorGrid

Role = Literal["detector", "landmarks", "embedder"]


class Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of a card. Refuses fields it does not know."""


class Origin(Part, frozen=True, kw_only=True):
    """The published file a model was made from, and how."""

    package: str
    """Name and version at the Python Package Index."""
    path: str
    """Of the file inside the package."""
    sha256: str
    """Of that file."""
    made_by: str


class Licence(Part, frozen=True, kw_only=True):
    """What others may do with the model."""

    spdx: str
    notice: str


class Tensor(Part, frozen=True, kw_only=True):
    """One input or output."""

    shape: tuple[int, ...]
    dtype: str
    meaning: str


class Figure(Part, frozen=True, kw_only=True):
    """A threshold or a measured value, never without the data it came from."""

    what: str
    value: str
    data: str


class KnownTime(Part, frozen=True, kw_only=True):
    """How long a run takes on some machine: the median, and what machine that is."""

    runtime: str
    """Package and version."""
    threads: int
    median_ms: float
    machine: str


Three = tuple[float, float, float]
Side = Annotated[int, msgspec.Meta(ge=16, le=2048)]


class InputScale(Part, frozen=True, kw_only=True):
    """What 0 to 255 become in the input: `factor` x value + `offset`, or (value - `mean`) / `std`.

    Three numbers stand for the channels in the order of the input. What the input's tensor does to real
    numbers when it is quantized (scale and zero point) is in the model itself and is not said here.
    Raises ValueError where both ways are given, or a factor or `std` is 0.
    """

    factor: float | Three = 1.0
    offset: float | Three = 0.0
    mean: Three | None = None
    std: Three | None = None
    order: Literal["rgb", "bgr"] = "rgb"

    def __post_init__(self) -> None:
        """Refuse what contradicts itself."""
        if (self.mean or self.std) and (self.factor, self.offset) != (1.0, 0.0):
            raise ValueError("give `factor` and `offset`, or `mean` and `std`, not both")
        if 0 in (self.std or ()) or 0 in self.factors:
            raise ValueError("`factor` and `std` must not be 0")

    @property
    def factors(self) -> Three:
        """Of the three channels."""
        if self.std:
            return 1 / self.std[0], 1 / self.std[1], 1 / self.std[2]
        return self.factor if isinstance(self.factor, tuple) else (self.factor,) * 3

    @property
    def offsets(self) -> Three:
        """Of the three channels."""
        if self.mean:
            first, second, third = (-mean * by for mean, by in zip(self.mean, self.factors, strict=True))
            return first, second, third
        return self.offset if isinstance(self.offset, tuple) else (self.offset,) * 3


class DetectorHead(Part, frozen=True, kw_only=True):
    """What the heads of all detectors have."""

    input_px: Side
    input_scale: InputScale = InputScale()
    max_iou: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.3
    """Candidates that overlap more are one face."""
    least_score: Annotated[float, msgspec.Meta(gt=0, lt=1)] = 0.5
    """Of a detection, where the settings say none; chosen on this model's own hits and false alarms."""
    reach: Literal["far", "near"] = "far"
    """`near`: faces within about two metres only. Such a detector is never taken by itself."""


class BlazeFaceHead(DetectorHead, frozen=True, kw_only=True, tag="blazeface", tag_field="kind"):
    """How BlazeFace's outputs are read."""

    grids: tuple[AnchorGrid, ...]


class SsdHead(DetectorHead, frozen=True, kw_only=True, tag="ssd", tag_field="kind"):
    """How the outputs of TFLite's own post-processing of SSD detectors are read."""

    outputs: tuple[Literal["boxes", "classes", "scores", "count"], ...] = (
        "boxes",
        "classes",
        "scores",
        "count",
    )
    """What the outputs are, in their order; TensorFlow 2 exports them in others."""
    face_class: int | None = 0
    """Only detections of this class are faces; null where every class is."""

    def __post_init__(self) -> None:
        """Refuse outputs that are not enough."""
        if not {"boxes", "scores"} <= set(self.outputs) or len(set(self.outputs)) != len(self.outputs):
            raise ValueError("`outputs` names boxes and scores once each, and classes and count if there are")


class YunetHead(DetectorHead, frozen=True, kw_only=True, tag="yunet", tag_field="kind"):
    """How YuNet's outputs are read: for each stride class, object, box and five points."""

    strides: tuple[int, ...] = (8, 16, 32)


class ScrfdHead(DetectorHead, frozen=True, kw_only=True, tag="scrfd", tag_field="kind"):
    """How SCRFD's outputs are read: for each stride score, distances to the box's edges and five points."""

    strides: tuple[int, ...] = (8, 16, 32)
    per_cell: Annotated[int, msgspec.Meta(ge=1, le=8)] = 2
    """Anchors in the corner of each cell."""
    scores: Literal["probability", "logit"] = "probability"


class LandmarksHead(Part, frozen=True, kw_only=True, tag="facemesh", tag_field="kind"):
    """How the FaceMesh's crop is cut and its outputs are read."""

    input_px: Side
    input_scale: InputScale
    points: int
    crop_factor: float
    """Side of the crop, in longer sides of the detector's box."""


class EmbedderHead(Part, frozen=True, kw_only=True, tag="embedding", tag_field="kind"):
    """How chips are embedded."""

    input_px: Side
    size: Annotated[int, msgspec.Meta(ge=16, le=4096)]
    """Numbers of an embedding."""
    input_scale: InputScale = InputScale()
    template: Template = "dlib150"
    """Where the eyes, the nose and the mouth lie in the input; see `edged.vision.alignment`."""
    mirror: bool = True
    """Whether the mirror image is embedded too, and the mean of both taken."""
    calibration: Statistics | None = None
    """What similarities are worth; without it the model can be evaluated, and nobody recognised with it."""


class ExpectedFace(Part, frozen=True, kw_only=True):
    """A face of the reference picture, in its pixels, and how far off a result may be."""

    score: float
    box: tuple[float, float, float, float]
    keypoints: tuple[tuple[float, float], ...]
    score_tolerance: float
    tolerance_px: float


class ExpectedMesh(Part, frozen=True, kw_only=True):
    """Some points of the mesh for a given box and eyes, by their number."""

    box: tuple[float, float, float, float]
    eyes: tuple[tuple[float, float], tuple[float, float]]
    presence: float
    points: dict[int, tuple[float, float, float]]
    presence_tolerance: float
    tolerance_px: float


class ExpectedEmbedding(Part, frozen=True, kw_only=True):
    """The embedding of a square of the picture by the float original, and the least cosine to it."""

    left_top: tuple[int, int]
    embedding: tuple[float, ...]
    least_cosine: float


class Reference(Part, frozen=True, kw_only=True):
    """The picture that `edged models verify` runs a model on, and what must come out."""

    picture: str
    """File below the folder of the models."""
    faces: tuple[ExpectedFace, ...] = ()
    mesh: ExpectedMesh | None = None
    embedding: ExpectedEmbedding | None = None


_PLAIN = EmbedderHead(input_px=150, size=128)
"""How the shipped embedders see a chip: as it is."""


class ModelCard(Part, frozen=True, kw_only=True):
    """Everything said of one model. A card lies beside its model as `NAME.json`.

    Those of the shipped models say all of it; of somebody's own model the name, role, file, hash and head
    are enough.
    """

    name: str
    summary: str = ""
    role: Role
    file: str
    """Below the card's folder, or with its whole path."""
    bytes: int | None = None
    sha256: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
    runtimes: tuple[str, ...] = ()
    """Packages it is made for; it may run slowly on others. None are said: it runs on all."""
    origin: Origin | None = None
    licence: Licence = Licence(spdx="unknown", notice="")
    inputs: tuple[Tensor, ...] = ()
    outputs: tuple[Tensor, ...] = ()
    preprocessing: str = ""
    head: BlazeFaceHead | SsdHead | YunetHead | ScrfdHead | LandmarksHead | EmbedderHead
    thresholds: tuple[Figure, ...] = ()
    measured: tuple[Figure, ...] = ()
    timings: tuple[KnownTime, ...] = ()
    reference: Reference | None = None


def embedding_hash(card: ModelCard) -> str:
    """What tells an embedder's embeddings from those of any other: 64 hex digits.

    It is the SHA-256 of the model's file, and of how its card lets it see a chip, where that is not as it is:
    whoever changes the template or the scale in a card has another embedder, whose embeddings must not be
    compared with those from before.
    """
    head = card.head
    if not isinstance(head, EmbedderHead) or _sight(head) == _sight(_PLAIN):
        return card.sha256
    return hashlib.sha256(card.sha256.encode() + msgspec.json.encode(_sight(head))).hexdigest()


def _sight(head: EmbedderHead) -> tuple[object, ...]:
    scale = head.input_scale
    return head.template, head.mirror, scale.factors, scale.offsets, scale.order
