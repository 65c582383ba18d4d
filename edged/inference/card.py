"""A model's card: what it is, where it came from, what goes in and out, and how to see that it works."""

from typing import Annotated, Literal

import msgspec

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


class InputScale(Part, frozen=True, kw_only=True):
    """The input is `factor` x value + `offset`, of RGB values from 0 to 255."""

    factor: float
    offset: float


class DetectorHead(Part, frozen=True, kw_only=True, tag="blazeface", tag_field="kind"):
    """How BlazeFace's outputs are read."""

    input_px: int
    input_scale: InputScale
    grids: tuple[AnchorGrid, ...]
    max_iou: float
    """Candidates that overlap more are one face."""


class LandmarksHead(Part, frozen=True, kw_only=True, tag="facemesh", tag_field="kind"):
    """How the FaceMesh's crop is cut and its outputs are read."""

    input_px: int
    input_scale: InputScale
    points: int
    crop_factor: float
    """Side of the crop, in longer sides of the detector's box."""


class EmbedderHead(Part, frozen=True, kw_only=True, tag="embedding", tag_field="kind"):
    """How chips are embedded."""

    input_px: int
    size: int


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


class ModelCard(Part, frozen=True, kw_only=True):
    """Everything said of one model. A card lies beside its model as `NAME.json`."""

    name: str
    summary: str
    role: Role
    file: str
    bytes: int
    sha256: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
    runtimes: tuple[str, ...]
    """Packages it is made for; it may run slowly on others."""
    origin: Origin
    licence: Licence
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    preprocessing: str
    head: DetectorHead | LandmarksHead | EmbedderHead
    thresholds: tuple[Figure, ...]
    measured: tuple[Figure, ...]
    reference: Reference
