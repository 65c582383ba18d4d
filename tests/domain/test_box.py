from hypothesis import given
from hypothesis import strategies as st

from edged.domain.box import Box

edges = st.floats(-1e4, 1e4)
boxes = st.builds(Box, edges, edges, edges, edges)
proper = st.builds(
    lambda x, y, width, height: Box(x, y, x + width, y + height),
    edges,
    edges,
    st.floats(1, 1e3),
    st.floats(1, 1e3),
)


def test_two_equal_boxes_without_area_have_nothing_in_common():
    empty = Box(3, 3, 3, 3)

    assert empty.iou(empty) == 0


@given(boxes, boxes)
def test_iou_is_a_share_and_the_same_from_both_sides(one, other):
    assert 0 <= one.iou(other) <= 1 + 1e-9
    assert one.iou(other) == other.iou(one)


@given(proper)
def test_a_box_is_wholly_in_itself(box):
    assert abs(box.iou(box) - 1) < 1e-6


@given(boxes)
def test_width_height_and_area_are_never_negative(box):
    assert box.width >= 0
    assert box.height >= 0
    assert box.area >= 0


@given(boxes, st.floats(1, 4000), st.floats(1, 4000))
def test_a_clipped_box_is_inside_and_clipping_again_changes_nothing(box, width, height):
    inside = box.clipped(width, height)

    assert 0 <= inside.x_min <= width
    assert 0 <= inside.y_max <= height
    assert inside.clipped(width, height) == inside


@given(boxes, st.floats(1, 4000), st.floats(1, 4000))
def test_fractions_are_from_0_to_1(box, width, height):
    share = box.fraction_of(width, height)

    assert all(0 <= edge <= 1 for edge in (share.x_min, share.y_min, share.x_max, share.y_max))
