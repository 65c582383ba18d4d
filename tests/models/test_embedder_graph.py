import numpy as np
import pytest

from dlib_dat import Affine, Convolution, DatError, Network, Plain, Product
from embedder_graph import CONVOLUTIONS, folded

MEAN = (122.782, 117.001, 104.298)
RNG = np.random.default_rng(3)


def a_convolution(size=3, inputs=2, outputs=4, stride=1, padding=1):
    weights = RNG.normal(size=(outputs, inputs, size, size)).astype(np.float32)
    return Convolution(weights, RNG.normal(size=outputs).astype(np.float32), stride, padding)


def an_affine(channels=4):
    return Affine(RNG.normal(size=channels).astype(np.float32), RNG.normal(size=channels).astype(np.float32))


def layers(first=None, last=None):
    pairs = [[a_convolution(), an_affine(), Plain("relu")] for _ in range(CONVOLUTIONS)]
    pairs[0][0] = first or a_convolution(size=7, inputs=3, stride=2, padding=0)
    pairs[-1][0] = last or a_convolution()
    return [layer for pair in pairs for layer in pair] + [Product(np.eye(4, dtype=np.float32))]


def a_network(of=None, size=150):
    return Network(MEAN, (size, size), tuple(of or layers()))


def convolved(patch, weights, bias):
    """One output of a convolution over a patch as large as its filter; weights out x in x height x width."""
    return np.einsum("hwi,oihw->o", patch, weights.astype(np.float64)) + bias


def folded_output(patch, item):
    return np.einsum("hwi,hwio->o", patch, item.weights.astype(np.float64)) + item.bias


def test_the_first_filter_does_what_input_layer_convolution_and_affine_layer_did():
    network = a_network()
    convolution, affine = network.layers[:2]
    patch = RNG.integers(0, 256, (7, 7, 3)).astype(np.float64)
    wanted = (
        convolved((patch - MEAN) / 256, convolution.weights, convolution.bias) * affine.gamma + affine.beta
    )
    assert folded_output(patch, folded(network).filters[0]) == pytest.approx(wanted, abs=1e-4)


def test_other_filters_do_what_convolution_and_affine_layer_did():
    network = a_network()
    convolution, affine = network.layers[3:5]
    patch = RNG.normal(size=(3, 3, 2))
    wanted = convolved(patch, convolution.weights, convolution.bias) * affine.gamma + affine.beta
    assert folded_output(patch, folded(network).filters[1]) == pytest.approx(wanted, abs=1e-5)


def test_the_last_filter_keeps_its_centre_because_nothing_else_meets_the_map():
    network = a_network()
    full, centre = folded(a_network(list(network.layers))).filters[-1], network.layers[-4].weights[:, :, 1, 1]
    assert full.weights.shape[:2] == (1, 1)
    assert full.weights[0, 0] == pytest.approx((centre * network.layers[-3].gamma[:, None]).T)


def test_strides_and_padding_are_kept():
    filters = folded(a_network()).filters
    assert (filters[0].stride, filters[0].is_padded) == (2, False)
    assert (filters[1].stride, filters[1].is_padded) == (1, True)


@pytest.mark.parametrize(
    ("network", "word"),
    [
        (a_network(size=96), "input of"),
        (a_network(layers()[3:]), "layers with weights"),
        (a_network([*layers()[:-1], a_convolution()]), "the last is Convolution"),
        (a_network(layers(first=a_convolution(padding=1))), "first convolution pads"),
        (a_network(layers(last=a_convolution(size=5))), "last convolution is not 3x3"),
        (a_network([layers()[1], layers()[0], *layers()[2:]]), "without its affine"),
    ],
    ids=["size", "layers", "no product", "padded first", "last", "order"],
)
def test_another_network_is_refused_in_words(network, word):
    with pytest.raises(DatError, match=word):
        folded(network)
