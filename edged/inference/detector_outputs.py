"""From a detector's tensors to faces in its input's pixels: which output is what, by the head of the card."""

from collections.abc import Iterable
from itertools import chain
from typing import Protocol

import numpy as np

from edged.domain.errors import ModelError
from edged.domain.face import Floats
from edged.inference.card import BlazeFaceHead, DetectorHead, ScrfdHead, SsdHead, YunetHead
from edged.inference.runtime import Network
from edged.vision import blazeface, scrfd, ssd, yunet
from edged.vision.nms import Candidate, best_first, merged, suppressed


class Outputs(Protocol):
    """How the outputs of one kind of head are read."""

    def faces(self) -> Iterable[Candidate]:
        """The faces that the outputs tell of after a run, best first, in pixels of the input."""
        ...


def outputs_of(network: Network, head: DetectorHead, min_score: float) -> Outputs:
    """The reader for a head; raises `ModelError` where the network has not the outputs of such a head."""
    match head:
        case BlazeFaceHead():
            return BlazeFaceOutputs(network, head, min_score)
        case SsdHead():
            return SsdOutputs(network, head, min_score)
        case YunetHead():
            return YunetOutputs(network, head, min_score)
        case ScrfdHead():
            return ScrfdOutputs(network, head, min_score)
    raise ModelError(f"no detector has a head {type(head).__name__}")


class BlazeFaceOutputs:
    """Two outputs: 16 numbers an anchor, and its logit."""

    def __init__(self, network: Network, head: BlazeFaceHead, min_score: float) -> None:
        self._network = network
        self._centres = blazeface.anchor_centres(head.grids, head.input_px)
        self._max_iou = head.max_iou
        self._min_logit = blazeface.logit(min_score)
        self._regressions = network.output_with(blazeface.COORDINATES)
        self._logits = network.output_with(1)
        anchors = network.output_shapes()[self._regressions][-2]
        if anchors != len(self._centres):
            raise ModelError(
                f"the model has {anchors} anchors, and its card's grids make {len(self._centres)}",
                remedy="write the grids of the model into `head.grids` of the card",
            )

    def faces(self) -> Iterable[Candidate]:
        """See `Outputs`."""
        candidates = blazeface.decoded(
            self._network.output(self._regressions),
            self._network.output(self._logits)[:, 0],
            self._centres,
            self._min_logit,
        )
        return merged(candidates, self._max_iou)


class SsdOutputs:
    """The outputs of `TFLite_Detection_PostProcess`, in the order that the card says."""

    def __init__(self, network: Network, head: SsdHead, min_score: float) -> None:
        self._network = network
        self._head = head
        self._min_score = min_score
        shapes = network.output_shapes()
        found = dict(zip(head.outputs, shapes, strict=False))
        most = max((shape[-2] for shape in shapes if len(shape) > 1 and shape[-1] == _EDGES), default=0)
        wanted = {"boxes": most * _EDGES, "scores": most, "classes": most, "count": 1}
        if len(shapes) != len(head.outputs) or not most:
            _refuse(shapes, f"{len(head.outputs)} outputs ({', '.join(head.outputs)})")
        for name, shape in found.items():
            if int(np.prod(shape)) != wanted[name] or (name == "boxes" and shape[-1] != _EDGES):
                _refuse(shapes, f"{', '.join(head.outputs)}, in this order (`head.outputs` of the card)")
        self._number: dict[str, int] = {name: number for number, name in enumerate(head.outputs)}

    def faces(self) -> Iterable[Candidate]:
        """See `Outputs`."""
        scores = self._values("scores")
        count = int(self._values("count")[0]) if "count" in self._number else len(scores)
        candidates = ssd.decoded(
            self._values("boxes").reshape(-1, _EDGES),
            scores,
            self._values("classes") if "classes" in self._number else None,
            count=count,
            face_class=self._head.face_class,
            input_px=self._head.input_px,
            min_score=self._min_score,
        )
        return suppressed(candidates, self._head.max_iou)

    def _values(self, name: str) -> Floats:
        return self._network.flat(self._number[name])


class YunetOutputs:
    """Four outputs a stride."""

    def __init__(self, network: Network, head: YunetHead, min_score: float) -> None:
        self._network = network
        self._head = head
        self._min_score = min_score
        self._levels = [
            (stride, head.input_px // stride, _of_stride(network, head.input_px // stride, 1, yunet.NUMBERS))
            for stride in head.strides
        ]

    def faces(self) -> Iterable[Candidate]:
        """See `Outputs`."""
        found = chain.from_iterable(self._of_level(*level) for level in self._levels)
        return suppressed(best_first(found), self._head.max_iou)

    def _of_level(self, stride: int, cells: int, numbers: list[int]) -> list[Candidate]:
        classes, objects, boxes, points = (self._network.flat(number) for number in numbers)
        return yunet.decoded(
            classes,
            objects,
            boxes.reshape(-1, yunet.NUMBERS[2]),
            points.reshape(-1, yunet.NUMBERS[3]),
            stride=stride,
            cells=cells,
            min_score=self._min_score,
        )


class ScrfdOutputs:
    """Three outputs a stride."""

    def __init__(self, network: Network, head: ScrfdHead, min_score: float) -> None:
        self._network = network
        self._head = head
        self._min_score = min_score
        self._levels = [
            (
                stride,
                head.input_px // stride,
                _of_stride(network, head.input_px // stride, head.per_cell, scrfd.NUMBERS),
            )
            for stride in head.strides
        ]

    def faces(self) -> Iterable[Candidate]:
        """See `Outputs`."""
        found = chain.from_iterable(self._of_level(*level) for level in self._levels)
        return suppressed(best_first(found), self._head.max_iou)

    def _of_level(self, stride: int, cells: int, numbers: list[int]) -> list[Candidate]:
        scores, distances, points = (self._network.flat(number) for number in numbers)
        if self._head.scores == "logit":
            scores = np.reciprocal(1 + np.exp(-np.clip(scores, -_MOST_LOGIT, _MOST_LOGIT)))
        return scrfd.decoded(
            scores,
            distances.reshape(-1, scrfd.NUMBERS[1]),
            points.reshape(-1, scrfd.NUMBERS[2]),
            stride=stride,
            cells=cells,
            per_cell=self._head.per_cell,
            min_score=self._min_score,
        )


_EDGES = 4
_MOST_LOGIT = 60.0


def _of_stride(network: Network, cells: int, per_cell: int, numbers: tuple[int, ...]) -> list[int]:
    """The numbers of one stride's outputs, for each entry of `numbers` one that no other entry has.

    An output is told by its extents: all anchors by `number`, or all cells by `per_cell` x `number`. Where
    two are alike (YuNet's class and object) their order does not matter.
    """
    shapes = network.output_shapes()
    taken: list[int] = []
    for number in numbers:
        for position, shape in enumerate(shapes):
            rest = int(np.prod(shape[:-1]))
            by_anchor = (rest, shape[-1]) == (cells * cells * per_cell, number)
            by_cell = (rest, shape[-1]) == (cells * cells, per_cell * number)
            flat = number == 1 and (rest, shape[-1]) == (1, cells * cells * per_cell)
            if position not in taken and (by_anchor or by_cell or flat):
                taken.append(position)
                break
        else:
            _refuse(shapes, f"{cells * cells * per_cell} x {number} among them, for {cells} x {cells} cells")
    return taken


def _refuse(shapes: list[tuple[int, ...]], wanted: str) -> None:
    raise ModelError(
        f"the model's outputs have the shapes {[list(shape) for shape in shapes]},"
        f" and its card's head wants {wanted}",
        remedy="correct `head` of the card: its kind, `input_px` and what belongs to the kind",
    )
