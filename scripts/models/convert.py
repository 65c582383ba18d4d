"""Builds the embedder's graph in plain TensorFlow and converts it to TFLite, the same bytes every time."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import tensorflow as tf
from ai_edge_quantizer import quantizer, recipe

from embedder_graph import INPUT_PX, STAGES, EmbedderWeights, Filter


def as_float32(weights: EmbedderWeights) -> bytes:
    """The exact model, for the conversion's own test."""
    return bytes(_converted(weights, quantize=False))


def as_dynamic_int8(weights: EmbedderWeights) -> bytes:
    """Weights in int8; activations are quantized as they come, so no calibration pictures are needed."""
    return bytes(_converted(weights, quantize=True))


def as_weight_only_int8(weights: EmbedderWeights) -> bytes:
    """Weights in int8, made float again at load; for the runtime whose own int8 is slow."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "embedder.tflite"
        path.write_bytes(as_float32(weights))
        result = quantizer.Quantizer(str(path), recipe.weight_only_wi8_afp32()).quantize()
        return bytes(result.quantized_model)


def _converted(weights: EmbedderWeights, *, quantize: bool) -> bytes:
    function = _function(weights)
    with tempfile.TemporaryDirectory() as folder:
        module = tf.Module()
        module.embed = function
        # By way of a SavedModel, so that the file carries a signature with names.
        signature = {"serving_default": function.get_concrete_function()}
        tf.saved_model.save(module, folder, signatures=signature)
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        if quantize:
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        return bytes(converter.convert())


def _function(weights: EmbedderWeights) -> Any:
    @tf.function(input_signature=[tf.TensorSpec((1, INPUT_PX, INPUT_PX, 3), tf.float32, name="rgb")])
    def embed(rgb: Any) -> dict[str, Any]:
        filters = iter(weights.filters)
        maps = tf.nn.relu(_convolved(rgb, next(filters)))
        maps = tf.nn.max_pool2d(maps, 3, 2, "VALID")
        for stage in STAGES:
            for block in range(stage.blocks):
                maps = _residual(maps, filters, goes_down=stage.goes_down and block == 0)
        return {"embedding": tf.matmul(tf.reduce_mean(maps, [1, 2]), tf.constant(weights.product))}

    return embed


def _convolved(maps: Any, item: Filter) -> Any:
    padding = "SAME" if item.is_padded else "VALID"
    return tf.nn.bias_add(
        tf.nn.conv2d(maps, tf.constant(item.weights), item.stride, padding), tf.constant(item.bias)
    )


def _residual(maps: Any, filters: Iterator[Filter], *, goes_down: bool) -> Any:
    inner = tf.nn.relu(_convolved(maps, next(filters)))
    inner = _convolved(inner, next(filters))
    if goes_down:
        maps = tf.nn.avg_pool2d(maps, 2, 2, "VALID")
        # dlib adds maps of unequal size by padding both with zeros: below, at the right, and in channels.
        rows = max(maps.shape[1], inner.shape[1])
        channels = max(maps.shape[3], inner.shape[3])
        maps, inner = _grown(maps, rows, channels), _grown(inner, rows, channels)
    return tf.nn.relu(maps + inner)


def _grown(maps: Any, rows: int, channels: int) -> Any:
    more_rows, more_channels = rows - maps.shape[1], channels - maps.shape[3]
    if not more_rows and not more_channels:
        return maps
    return tf.pad(maps, [[0, 0], [0, more_rows], [0, more_rows], [0, more_channels]])
