"""A first card for somebody's own model, by what its tensors look like."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from edged.domain.errors import ModelError
from edged.domain.face import Floats
from edged.inference.runtime import Network, Runtime, make_network

STRIDES: Final = (8, 16, 32)
_LEAST_SIZE, _MOST_SIZE = 32, 2048
_EDGES, _POINTS, _BLAZEFACE = 4, 10, 16
_CHANNELS: Final = 3
_PICTURE: Final = 4

_NORMALISATION: Final = (
    "`head.input_scale`: what the model was trained with. {} lets 0 to 255 in as they are;"
    ' {"mean": [127.5, 127.5, 127.5], "std": [127.5, 127.5, 127.5]} is (x - 127.5) / 127.5;'
    ' "order": "bgr" turns the channels round'
)
_SCORES: Final = '`head.scores`: "logit" where the scores come without sigmoid'


@dataclass(frozen=True, slots=True)
class Skeleton:
    """A card to begin with.

    Attributes:
        card: as it stands in the file.
        guesses: what was guessed, in words.
        open: what a person has to fill in or check, in words.
    """

    card: dict[str, Any]
    guesses: tuple[str, ...]
    open: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Guess:
    role: str
    kind: str
    head: dict[str, Any]
    what: str
    open: tuple[str, ...]


def skeleton_of(path: Path, name: str, runtime: Runtime) -> Skeleton:
    """Look at a .tflite file; raises `ModelError` where it cannot be loaded or takes no square picture."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: {error.strerror}") from error
    network = make_network(runtime, content, name=path.name, threads=1)
    side_px = _side(network)
    guess = _guess(network, side_px)
    if guess is None:
        listed = ", ".join(str(list(shape)) for shape in network.output_shapes())
        raise ModelError(
            f"{path} has outputs of the shapes {listed}: they fit none of blazeface, ssd, yunet, scrfd and"
            " embedding",
            remedy="docs/models.md says what each head wants; convert the model so that it has these outputs",
        )
    guesses = [f"{guess.what}; input {side_px} x {side_px} pixels"]
    if network.input_type().scale:
        dtype = network.input_type().dtype
        guesses.append(f"the input is {dtype}, with its scale and zero point in the model")
    return Skeleton(
        {
            "name": name,
            "summary": "",
            "role": guess.role,
            "file": path.name,
            "bytes": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
            "licence": {"spdx": "unknown", "notice": ""},
            "inputs": [_tensor(network.input_shape(), network.input_type().dtype)],
            "outputs": list(map(_tensor, network.output_shapes(), network.output_dtypes())),
            "head": {"kind": guess.kind, "input_px": side_px, **guess.head},
        },
        tuple(guesses),
        (
            *guess.open,
            _NORMALISATION,
            "`licence`: what you may do with the model, for whoever comes after you",
        ),
    )


def _guess(network: Network, side_px: int) -> "_Guess | None":
    shapes = network.output_shapes()
    return (
        _ssd(network, shapes)
        or _blazeface(shapes, side_px)
        or _by_strides(shapes, side_px)
        or _embedder(shapes)
    )


def _side(network: Network) -> int:
    shape = network.input_shape()
    channels_first = len(shape) == _PICTURE and shape[1] == _CHANNELS
    extents = shape[2:] if channels_first else shape[1:3]
    is_picture = len(shape) == _PICTURE and shape[0] == 1 and (channels_first or shape[3] == _CHANNELS)
    if not is_picture or extents[0] != extents[1]:
        raise ModelError(
            f"the model's input has the shape {list(shape)}",
            remedy="edged runs models that take one square colour picture: [1, side, side, 3]",
        )
    return extents[0]


def _ssd(network: Network, shapes: Sequence[tuple[int, ...]]) -> _Guess | None:
    boxes = [shape for shape in shapes if len(shape) == 3 and shape[-1] == _EDGES]  # noqa: PLR2004
    if len(shapes) not in (3, 4) or len(boxes) != 1:
        return None
    most = boxes[0][1]
    kinds = []
    rest = iter(("classes", "scores"))
    if _first_is_scores([_after_noise(network, i) for i, one in enumerate(shapes) if np.prod(one) == most]):
        rest = iter(("scores", "classes"))
    for shape in shapes:
        size = int(np.prod(shape))
        if shape == boxes[0]:
            kinds.append("boxes")
        elif size == most:
            kinds.append(next(rest, ""))
        else:
            kinds.append("count" if size == 1 else "")
    if "" in kinds or not {"boxes", "scores"} <= set(kinds):
        return None
    return _Guess(
        "detector",
        "ssd",
        {"outputs": kinds, "face_class": 0, "input_scale": {}, "max_iou": 0.3},
        f"an SSD detector with post-processing, at most {most} detections",
        (
            "`head.outputs`: classes and scores look alike; change their places where no face is found",
            "`head.face_class`: the class of faces; null where every class is one",
        ),
    )


def _first_is_scores(values: list[Floats]) -> bool:
    """Whether, of two outputs alike in shape, the first has shares in it and the second whole numbers."""
    are_whole = [bool((one == np.rint(one)).all()) for one in values]
    return are_whole == [False, True]


def _after_noise(network: Network, number: int) -> Floats:
    """An output for a picture of something like noise, the same each time."""
    target = network.input()
    # Knuth's multiplicative hash of the positions.
    values = (np.arange(target.size).reshape(target.shape) * 2654435761 >> 9) % 256
    np.copyto(target, values if target.dtype == np.uint8 else values - 128, casting="unsafe")
    del target
    network.run()
    return network.flat(number).copy()


def _blazeface(shapes: Sequence[tuple[int, ...]], side_px: int) -> _Guess | None:
    anchors = [shape[-2] for shape in shapes if len(shape) > 1 and shape[-1] == _BLAZEFACE]
    if len(shapes) != 2 or len(anchors) != 1:  # noqa: PLR2004
        return None
    grids = {
        (48 * 48): [{"cells": 48, "per_cell": 1}],
        (16 * 16 * 2 + 8 * 8 * 6): [{"cells": 16, "per_cell": 2}, {"cells": 8, "per_cell": 6}],
    }.get(anchors[0])
    return _Guess(
        "detector",
        "blazeface",
        {"grids": grids or [], "max_iou": 0.3, "input_scale": {"factor": 1 / 127.5, "offset": -1.0}},
        f"a BlazeFace detector of {anchors[0]} anchors for {side_px} pixels",
        () if grids else ("`head.grids`: the cells and the anchors a cell of each layer",),
    )


def _by_strides(shapes: Sequence[tuple[int, ...]], side_px: int) -> _Guess | None:
    cells = sum((side_px // stride) ** 2 for stride in STRIDES)
    numbers = sum(int(np.prod(shape)) for shape in shapes)
    common = {"strides": list(STRIDES), "max_iou": 0.3}
    if len(shapes) == 12 and numbers == cells * (1 + 1 + _EDGES + _POINTS):  # noqa: PLR2004
        head = {**common, "input_scale": {"order": "bgr"}}
        return _Guess("detector", "yunet", head, "a YuNet detector", ())
    per_cell, rest = divmod(numbers, cells * (1 + _EDGES + _POINTS))
    if len(shapes) == 9 and not rest and per_cell:  # noqa: PLR2004
        head = {
            **common,
            "per_cell": per_cell,
            "scores": "probability",
            "input_scale": {"mean": [127.5] * 3, "std": [128.0] * 3},
        }
        return _Guess("detector", "scrfd", head, f"an SCRFD detector, {per_cell} anchors a cell", (_SCORES,))
    return None


def _embedder(shapes: Sequence[tuple[int, ...]]) -> _Guess | None:
    if len(shapes) != 1 or not _LEAST_SIZE <= int(np.prod(shapes[0])) <= _MOST_SIZE:
        return None
    size = int(np.prod(shapes[0]))
    return _Guess(
        "embedder",
        "embedding",
        {
            "size": size,
            "template": "arcface112",
            "mirror": True,
            "input_scale": {},
        },
        f"an embedder that gives {size} numbers",
        (
            '`head.template`: "arcface112" as InsightFace aligns faces, or "dlib150" as dlib does',
            "`head.calibration`: `edged evaluate FOLDER --calibrate` makes it; without, nobody is recognised",
        ),
    )


def _tensor(shape: tuple[int, ...], dtype: np.dtype[Any]) -> dict[str, Any]:
    return {"shape": list(shape), "dtype": str(dtype), "meaning": ""}
