import numpy as np
import pytest

from dlib_dat import Affine, Convolution, DatError, Plain, Pool, Product, read_network


def integer(value):
    magnitude = abs(value).to_bytes(max(1, (abs(value).bit_length() + 7) // 8), "little")
    return bytes([len(magnitude) | (0x80 if value < 0 else 0)]) + magnitude


def real(value):
    """As dlib writes it: mantissa and exponent of two."""
    exponent = -20
    return integer(round(value * 2**20)) + integer(exponent)


def text(value):
    return integer(len(value)) + value.encode()


def tensor(values):
    shape = (*values.shape, 1, 1, 1)[:4]
    return integer(2) + b"".join(map(integer, shape)) + values.astype("<f4").tobytes()


def alias(*shape):
    return integer(1) + b"".join(map(integer, shape))


EMPTY = integer(2) + b"".join(map(integer, (0, 0, 0, 0)))
AFTER = b"100" + 3 * EMPTY
RATES = 4 * real(1.0)

WEIGHTS = np.arange(2 * 3 * 3 * 3, dtype=np.float32).reshape(2, 3, 3, 3)
BIAS = np.array([0.5, -0.5], np.float32)
CONVOLUTION = (
    text("con_4")
    + tensor(np.concatenate([WEIGHTS.ravel(), BIAS]))
    + b"".join(map(integer, (2, 3, 3, 2, 2, 1, 1)))
    + alias(2, 3, 3, 3)
    + alias(1, 2, 1, 1)
    + RATES
)
AFFINE = (
    text("affine_")
    + tensor(np.array([1, 2, 3, 4], np.float32))
    + alias(1, 2, 1, 1)
    + alias(1, 2, 1, 1)
    + integer(0)
)
RELU = text("relu_")
POOL = text("max_pool_2") + b"".join(map(integer, (3, 3, 2, 2, 0, 0)))
PRODUCT = (
    text("fc_2")
    + integer(2)
    + integer(3)
    + tensor(np.arange(6, dtype=np.float32))
    + alias(3, 2, 1, 1)
    + alias(0, 0, 0, 0)
    + integer(1)
    + RATES
)


def network(*layers, versions=None, size=150, trailing=b""):
    """The bytes of a network of these layers' details, innermost first."""
    versions = versions or [2] * (len(layers) - 1) + [3]
    head = integer(1) + text("loss_metric_2") + real(0.04) + real(0.6)
    head += b"".join(map(integer, versions))
    head += (
        text("input_rgb_image_sized")
        + real(122.75)
        + real(117.0)
        + real(104.25)
        + integer(size)
        + integer(size)
    )
    inner_version_first = list(reversed(versions))
    body = b""
    details = iter(layers)
    for version in inner_version_first:
        if version != 1:
            body += next(details) + AFTER + (integer(1) if version == 3 else b"")
    return head + body + trailing


def test_layers_come_in_running_order():
    layers = read_network(network(CONVOLUTION, AFFINE, RELU, POOL, PRODUCT)).layers
    assert [type(layer) for layer in layers] == [Convolution, Affine, Plain, Pool, Product]


def test_the_input_tells_its_mean_and_size():
    read = read_network(network(PRODUCT))
    assert read.mean_rgb == (122.75, 117.0, 104.25)
    assert read.input_px == (150, 150)


def test_a_convolution_has_its_weights_bias_stride_and_padding():
    (layer,) = read_network(network(CONVOLUTION)).layers
    assert (layer.weights == WEIGHTS).all()
    assert (layer.bias == BIAS).all()
    assert (layer.stride, layer.padding) == (2, 1)


def test_a_convolution_of_the_newer_kind_may_have_no_bias():
    newer = CONVOLUTION.replace(text("con_4"), text("con_5"))
    assert (read_network(network(newer + b"1")).layers[0].bias == BIAS).all()
    assert (read_network(network(newer + b"0")).layers[0].bias == 0).all()


def test_an_affine_layer_has_its_factors_and_its_shifts():
    (layer,) = read_network(network(AFFINE)).layers
    assert layer.gamma.tolist() == [1, 2]
    assert layer.beta.tolist() == [3, 4]


def test_a_product_is_inputs_by_outputs():
    (layer,) = read_network(network(PRODUCT)).layers
    assert layer.weights.tolist() == [[0, 1], [2, 3], [4, 5]]


def test_tags_and_skips_have_no_details():
    layers = read_network(network(RELU, RELU, versions=[2, 1, 3])).layers
    assert [layer.kind for layer in layers] == ["relu", "wrapper", "relu"]


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"", "ends at byte 0"),
        (b"<html>not found</html>", "byte"),
        (network(PRODUCT)[:-9], "in the middle of a value"),
        (network(PRODUCT, trailing=b"more"), "4 bytes after the network's end"),
        (network(text("sigmoid_")), "layer 'sigmoid_'"),
        (network(RELU, RELU, PRODUCT, versions=[2, 7, 3]), "layer version 7"),
        (network(PRODUCT).replace(text("loss_metric_2"), text("loss_metric_9")), "'loss_metric_2'"),
    ],
    ids=["empty", "a web page", "cut off", "too long", "unknown layer", "unknown version", "another loss"],
)
def test_what_is_no_such_network_is_refused_in_words(content, word):
    with pytest.raises(DatError, match=word):
        read_network(content)


def test_infinite_numbers_are_refused():
    content = network(PRODUCT).replace(real(0.04), integer(1) + integer(32001), 1)
    with pytest.raises(DatError, match="not finite"):
        read_network(content)
