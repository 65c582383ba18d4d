"""Makes the tiny models in tests/inference/tiny: one for each head, small enough to read by eye.

Each detector calls a bright square a face, the embedders look at the mean colours of 4 x 4 fields; what
matters is that they are real .tflite files with the outputs of their kind. Run in the environment of
`scripts/models/make`: `python scripts/models/tiny_models.py tests/inference/tiny`.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

SIDE_PX = 64
STRIDES = (8, 16, 32)
BRIGHT = 160.0
"""Mean of a cell above which it sees a face."""
FACE_STRIDE = 16
"""Only the cells of this stride answer, or each face would be found three times."""
CHIP_PX = 112
FIELDS = 4
SIZE = 32
FIVE = ((-0.2, -0.15), (0.2, -0.15), (0.0, 0.1), (-0.15, 0.3), (0.15, 0.3))
"""Points of a face in sides of its box, from its middle."""
BOX_PX = 24.0


def main(folder: Path) -> None:
    """Write every model."""
    folder.mkdir(parents=True, exist_ok=True)
    models = {
        "yunet": converted(yunet, (1, SIDE_PX, SIDE_PX, 3)),
        "scrfd-int8": converted(scrfd, (1, SIDE_PX, SIDE_PX, 3), tf.int8),
        "ssd": converted(ssd, (1, SIDE_PX, SIDE_PX, 3)),
        "embedder": converted(embedder, (1, CHIP_PX, CHIP_PX, 3)),
        "embedder-int8": converted(embedder, (1, CHIP_PX, CHIP_PX, 3), tf.int8, outputs=True),
        "embedder-channels-first": converted(
            lambda picture: embedder(tf.transpose(picture, (0, 2, 3, 1))), (1, 3, CHIP_PX, CHIP_PX)
        ),
    }
    for name, content in models.items():
        (folder / f"{name}.tflite").write_bytes(content)
        print(f"{name}: {len(content)} bytes")


def cell_scores(picture: Any, stride: int) -> Any:
    """1 x cells x 1: about 1 where a cell is bright, about 0 where it is dark."""
    means = tf.reduce_mean(tf.nn.avg_pool2d(picture, stride, stride, "VALID"), axis=3)
    level = means if stride == FACE_STRIDE else means * 0.0
    return tf.reshape(tf.sigmoid((level - BRIGHT) / 10.0), (1, -1, 1))


def repeated(scores: Any, numbers: Sequence[float]) -> Any:
    """The same numbers for each cell, of the shape 1 x cells x numbers."""
    return scores * 0.0 + tf.constant(numbers, tf.float32)[None, None, :]


def yunet(picture: Any) -> list[Any]:
    """Twelve outputs, values of 0 to 255 in."""
    outputs = []
    for stride in STRIDES:
        scores = cell_scores(picture, stride)
        half = 0.5
        size = float(np.log(BOX_PX / stride))
        points = [half + number * BOX_PX / stride for point in FIVE for number in point]
        box = repeated(scores, (half, half, size, size))
        outputs += [scores, scores * 0.0 + 0.81, box, repeated(scores, points)]
    return outputs


def scrfd(picture: Any) -> list[Any]:
    """Nine outputs of two anchors a cell; the second sees nothing. Values of 0 to 255 in."""
    outputs = []
    for stride in STRIDES:
        one = cell_scores(picture, stride)
        scores = tf.reshape(tf.concat([one, one * 0.0], axis=2), (1, -1, 1))
        corner, half = 0.5, BOX_PX / stride / 2
        distances = (half - corner, half - corner, half + corner, half + corner)
        points = [corner + number * BOX_PX / stride for point in FIVE for number in point]
        outputs += [scores, repeated(scores, distances), repeated(scores, points)]
    return outputs


def ssd(picture: Any) -> Sequence[Any]:
    """The four outputs of the post-processing: classes 0 (bright) and 1 (dark)."""
    cells = SIDE_PX // FACE_STRIDE
    one = cell_scores(picture, FACE_STRIDE)
    scores = tf.concat([one * 0.0, one, 0.6 - one * 0.6], axis=2)
    encodings = repeated(one, (0.0, 0.0, 0.0, 0.0))
    middles = (np.arange(cells) + 0.5) / cells
    y, x = np.meshgrid(middles, middles, indexing="ij")
    side = np.full(cells * cells, BOX_PX / SIDE_PX)
    anchors = np.stack([y.ravel(), x.ravel(), side, side], axis=1).astype(np.float32)
    return post_processed(encodings, scores, tf.constant(anchors))


ATTRIBUTES = (
    'attr { key: "max_detections" value { i: 6 } } attr { key: "max_classes_per_detection" value { i: 1 } }'
    ' attr { key: "use_regular_nms" value { b: false } } attr { key: "nms_score_threshold" value { f: 0.1 } }'
    ' attr { key: "nms_iou_threshold" value { f: 0.5 } } attr { key: "num_classes" value { i: 2 } }'
    ' attr { key: "y_scale" value { f: 10.0 } } attr { key: "x_scale" value { f: 10.0 } }'
    ' attr { key: "h_scale" value { f: 5.0 } } attr { key: "w_scale" value { f: 5.0 } }'
)


@tf.function(experimental_implements=f'name: "TFLite_Detection_PostProcess" {ATTRIBUTES}')
def post_processed(encodings: Any, scores: Any, anchors: Any) -> tuple[Any, ...]:
    """What the converter puts its own operation in the place of."""
    del encodings, scores, anchors
    return tf.zeros((1, 6, 4)), tf.zeros((1, 6)), tf.zeros((1, 6)), tf.zeros((1,))


def embedder(picture: Any) -> list[Any]:
    """1 x SIZE from the mean colours of FIELDS x FIELDS fields; values of -1 to 1 in."""
    field_px = CHIP_PX // FIELDS
    means = tf.nn.avg_pool2d(picture, field_px, field_px, "VALID")
    flat = tf.reshape(means, (1, FIELDS * FIELDS * 3))
    weights = np.random.default_rng(3).normal(size=(FIELDS * FIELDS * 3, SIZE)).astype(np.float32)
    return [tf.matmul(flat, tf.constant(weights))]


def converted(
    function: Callable[[Any], Sequence[Any]],
    shape: tuple[int, ...],
    input_type: Any = None,
    *,
    outputs: bool = False,
) -> bytes:
    """The function as .tflite; with `input_type` quantized, calibrated on noise; `outputs`: those too."""

    class Module(tf.Module):
        """Carries the function."""

        @tf.function(input_signature=[tf.TensorSpec(shape, tf.float32)])
        def __call__(self, picture: Any) -> dict[str, Any]:
            return {f"output_{number:02}": value for number, value in enumerate(function(picture))}

    module = Module()
    concrete = module.__call__.get_concrete_function()
    converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete], module)
    converter.allow_custom_ops = True
    if input_type is not None:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        is_embedder = outputs
        converter.representative_dataset = lambda: examples(shape, is_embedder=is_embedder)
        converter.target_spec.supported_ops = [
            tf.lite.OpsSet.TFLITE_BUILTINS_INT8,
            tf.lite.OpsSet.TFLITE_BUILTINS,
        ]
        converter.inference_input_type = input_type
        if outputs:
            converter.inference_output_type = input_type
    return bytes(converter.convert())


def examples(shape: tuple[int, ...], *, is_embedder: bool) -> Iterator[list[Any]]:
    """Pictures to calibrate on: noise of all levels."""
    chance = np.random.default_rng(5)
    for _ in range(20):
        picture = chance.uniform(0, 255, shape) * chance.uniform(0.2, 1) // 1
        yield [((picture - 127.5) / 127.5 if is_embedder else picture).astype(np.float32)]
    if not is_embedder:
        yield [np.full(shape, 255, np.float32)]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
