from types import SimpleNamespace

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from builders.numpy_network import outputs
from edged.inference.catalogue import Catalogue
from edged.inference.runtime import find_runtime, make_network
from tflite_graph import GraphError, Operation, densified, read_graph

DENSE = schema.DimensionType.DENSE
SPARSE = schema.DimensionType.SPARSE_CSR


def content(name):
    catalogue = Catalogue()
    return catalogue.path_of(catalogue.card(name)).read_bytes()


def dense(size):
    return SimpleNamespace(format=DENSE, denseSize=size)


def sparse(segments, indices):
    return SimpleNamespace(
        format=SPARSE,
        denseSize=0,
        arraySegments=SimpleNamespace(values=segments),
        arrayIndices=SimpleNamespace(values=indices),
    )


@pytest.mark.parametrize("name", ["blazeface-full-range", "blazeface-short-range"])
def test_a_read_graph_computes_what_the_runtime_does(name):
    graph = read_graph(content(name))
    picture = np.random.default_rng(3).uniform(-1, 1, graph.shapes[graph.input]).astype(np.float32)
    network = make_network(find_runtime(), content(name), name=name, threads=1)
    np.copyto(network.input(), picture[0])
    network.run()
    for number, found in enumerate(outputs(graph, picture)):
        assert found[0] == pytest.approx(network.output(number), abs=1e-3)


def test_packed_and_sparse_weights_are_plain_ones():
    graph = read_graph(content("blazeface-full-range"))
    weights = [graph.constants[step.inputs[1]] for step in graph.operations if step.is_convolution]
    assert len(weights) == 91
    assert {array.dtype for array in weights} == {np.dtype(np.float32)}
    assert not {step.kind for step in graph.operations} & {"DEQUANTIZE", "DENSIFY"}


def test_a_sparse_row_names_the_columns_it_has():
    sparsity = SimpleNamespace(
        traversalOrder=[0, 1], blockMap=None, dimMetadata=[dense(3), sparse([0, 2, 2, 3], [1, 3, 0])]
    )
    found = densified(np.array([5.0, 6.0, 7.0]), (3, 4), sparsity)
    assert found.tolist() == [[0, 5, 0, 6], [0, 0, 0, 0], [7, 0, 0, 0]]


def test_a_sparse_tensor_may_be_cut_into_blocks():
    sparsity = SimpleNamespace(
        traversalOrder=[0, 1, 2], blockMap=[1], dimMetadata=[dense(2), sparse([0, 1, 2], [1, 0]), dense(2)]
    )
    found = densified(np.array([1.0, 2.0, 3.0, 4.0]), (2, 4), sparsity)
    assert found.tolist() == [[0, 0, 1, 2], [3, 4, 0, 0]]


def test_dimensions_may_come_in_another_order():
    sparsity = SimpleNamespace(
        traversalOrder=[1, 0], blockMap=None, dimMetadata=[dense(2), sparse([0, 1, 3], [2, 0, 1])]
    )
    found = densified(np.array([1.0, 2.0, 3.0]), (3, 2), sparsity)
    assert found.tolist() == [[0, 2], [0, 3], [1, 0]]


def test_what_follows_a_map_is_all_that_needs_it():
    graph = read_graph(content("blazeface-full-range"))
    last = graph.operations[-1]
    assert graph.following(last.inputs[0]) == {last.inputs[0], last.output}
    assert set(graph.outputs.values()) <= graph.following(graph.input)
    assert graph.readers(last.inputs[0]) == (last,)


def test_a_graph_with_a_step_that_nobody_knows_is_refused():
    with pytest.raises(GraphError, match="PRELU is not known"):
        read_graph(content("face-landmarks"))


def test_a_graph_with_weights_that_nobody_knows_is_refused():
    with pytest.raises(GraphError, match=r"constant .* is of type"):
        read_graph(content("dlib-resnet-v1-dynamic-int8"))


def test_only_convolutions_have_weights():
    assert Operation("DEPTHWISE_CONV_2D", (1, 2, 3), 4).is_convolution
    assert not Operation("ADD", (1, 2), 3).is_convolution
