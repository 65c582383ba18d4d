"""What of a detector stays float when it is quantized, by the maps of its graph."""

from tflite_graph import Graph


def from_the_second_enlarging(graph: Graph) -> set[int]:
    """The part that works on 24 x 24 cells and more, on its way back to the full grid, and the heads.

    Quantizing it as well, but for the heads, would save a fortieth of the time and put keypoints twice as far
    off.
    """
    enlarged = [item.output for item in graph.operations if item.kind == "RESIZE_BILINEAR"]
    return graph.following(enlarged[1])


def heads(graph: Graph) -> set[int]:
    """The last convolution before each output, and what follows it."""
    last = [
        item.output
        for item in graph.operations
        if item.is_convolution
        and not any(
            other.is_convolution and graph.following(item.output).intersection(other.inputs)
            for other in graph.operations
        )
    ]
    return set().union(*(graph.following(number) for number in last))
