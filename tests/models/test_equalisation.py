import dataclasses

import numpy as np
import pytest

from builders.numpy_network import computed, outputs
from edged.inference.catalogue import Catalogue
from equalisation import divisors, equalised, without_padding
from float_parts import from_the_second_enlarging, heads
from tflite_graph import Graph, GraphError, Operation, read_graph

SIZES = np.array([1e-2, 1.0, 50.0, 300.0])
"""Of the synthetic network's channels: as unlike as BlazeFace's are."""


def network(name):
    catalogue = Catalogue()
    return read_graph(catalogue.path_of(catalogue.card(name)).read_bytes())


def a_graph(*, stride=1, shared=False):
    """Padding, a 3x3 convolution, a depthwise one with its skip, an enlargement, and a head."""
    chance = np.random.default_rng(1)

    def values(*shape):
        return chance.normal(size=shape).astype(np.float32)

    unlike = SIZES.astype(np.float32)
    around = np.array([[0, 0], [1, 1], [1, 1], [0, 0]], np.int32)
    side = 8 // stride
    constants = {
        10: around,
        11: values(4, 3, 3, 3) * unlike[:, None, None, None],
        12: values(4) * unlike,
        13: values(1, 3, 3, 4),
        14: values(4),
        15: values(4, 1, 1, 4) * unlike[:, None, None, None] / unlike,
        16: values(4) * unlike,
        17: np.array([2 * side, 2 * side], np.int32),
        18: values(2, 1, 1, 4) / unlike,
        19: values(2),
    }
    operations = (
        Operation("PAD", (0, 10), 1),
        Operation("CONV_2D", (1, 11, 12), 2, has_relu=True, stride=stride),
        Operation("DEPTHWISE_CONV_2D", (2, 13, 14), 3, is_same_size=True),
        Operation("CONV_2D", (3, 15, 16), 4),
        Operation("ADD", (2, 4), 5, has_relu=True),
        Operation("RESIZE_BILINEAR", (5, 17), 6),
        Operation("CONV_2D", (6, 15 if shared else 18, 16 if shared else 19), 7),
    )
    shapes = {0: (1, 8, 8, 3), 1: (1, 10, 10, 3), 6: (1, 2 * side, 2 * side, 4)}
    shapes |= dict.fromkeys((2, 3, 4, 5), (1, side, side, 4))
    shapes[7] = (1, 2 * side, 2 * side, 4 if shared else 2)
    names = {number: f"tensor {number}" for number in range(20)}
    return Graph(operations, constants, shapes, names, 0, {"out": 7})


def pictures(graph, count=3):
    chance = np.random.default_rng(2)
    return [chance.uniform(-1, 1, graph.shapes[graph.input]).astype(np.float32) for _ in range(count)]


def largest(graph, seen):
    maps = [computed(graph, picture) for picture in seen]
    return {
        number: np.max([np.abs(found[number]).max(axis=(0, 1, 2)) for found in maps], axis=0)
        for number in maps[0]
        if maps[0][number].ndim == 4
    }


def test_padding_before_a_3x3_convolution_becomes_its_own():
    graph = a_graph()
    folded = without_padding(graph)
    assert [step.kind for step in folded.operations] == [step.kind for step in graph.operations[1:]]
    assert folded.operations[0].is_same_size
    for picture in pictures(graph):
        assert outputs(folded, picture)[0] == pytest.approx(outputs(graph, picture)[0])


def test_padding_before_steps_of_two_stays():
    # `SAME` would pad below and at the right alone.
    graph = a_graph(stride=2)
    assert without_padding(graph).operations == graph.operations


def test_padding_that_something_else_reads_too_stays():
    graph = a_graph()
    also = Operation("RELU", (1,), 20)
    graph = dataclasses.replace(graph, operations=(*graph.operations, also))
    assert without_padding(graph).operations == graph.operations


def test_an_equalised_graph_computes_the_same():
    graph = without_padding(a_graph())
    found = equalised(graph, divisors(graph, largest(graph, pictures(graph))))
    for picture in pictures(graph, 5):
        assert outputs(found, picture)[0] == pytest.approx(outputs(graph, picture)[0], rel=1e-12)


def test_an_equalised_graphs_channels_are_alike():
    graph = without_padding(a_graph())
    seen = pictures(graph)
    before = largest(graph, seen)
    after = largest(equalised(graph, divisors(graph, before)), seen)
    assert before[2].max() / before[2].min() > 1000
    assert after[2].max() / after[2].min() < 20
    assert after[3].max() / after[3].min() < 20


def test_divisors_are_powers_of_two():
    graph = without_padding(a_graph())
    for found in divisors(graph, largest(graph, pictures(graph))).values():
        assert (np.log2(found) % 1 == 0).all()


def test_the_input_and_the_outputs_stay_as_they_are():
    graph = without_padding(a_graph())
    found = divisors(graph, largest(graph, pictures(graph)))
    assert found[0].tolist() == [1, 1, 1]
    assert found[7].tolist() == [1, 1]


def test_maps_that_are_added_or_enlarged_have_the_same_divisors():
    graph = without_padding(a_graph())
    found = divisors(graph, largest(graph, pictures(graph)))
    for other in (4, 5, 6):
        assert (found[other] == found[2]).all()
    assert not (found[3] == found[2]).all()


def test_a_channel_that_never_spoke_is_left_alone():
    graph = without_padding(a_graph())
    silent = {number: np.zeros_like(values) for number, values in largest(graph, pictures(graph)).items()}
    assert all((found == 1).all() for found in divisors(graph, silent).values())


def test_weights_that_two_convolutions_share_are_refused():
    graph = without_padding(a_graph(shared=True))
    with pytest.raises(GraphError, match="share the weights or the bias of tensor 15"):
        equalised(graph, divisors(graph, largest(graph, pictures(graph))))


@pytest.mark.parametrize("name", ["blazeface-full-range", "blazeface-short-range"])
def test_an_equalised_detector_computes_what_the_detector_does(name):
    graph = network(name)
    seen = pictures(graph, 1)
    folded = without_padding(graph)
    found = equalised(folded, divisors(folded, largest(folded, seen)))
    for new, old in zip(outputs(found, seen[0]), outputs(graph, seen[0]), strict=True):
        assert new == pytest.approx(old, abs=1e-9)


def test_what_stays_float_of_the_full_range_is_the_way_back_and_the_heads():
    graph = network("blazeface-full-range")
    kept = from_the_second_enlarging(graph)
    enlarged = [step.output for step in graph.operations if step.kind == "RESIZE_BILINEAR"]
    assert enlarged[0] not in kept
    assert {*enlarged[1:], *graph.outputs.values()} <= kept
    assert len(kept) < len(graph.operations) / 4


def test_what_stays_float_of_the_short_range_is_the_heads():
    graph = network("blazeface-short-range")
    kept = heads(graph)
    assert set(graph.outputs.values()) <= kept
    assert [step.kind for step in graph.operations if step.output in kept and step.is_convolution] == [
        "CONV_2D"
    ] * 4
