from hypothesis import given
from hypothesis import strategies as st

from builders.faces_in_motion import a_detection
from edged.domain.box import Box
from edged.tracking.association import associate
from edged.tracking.path import Path


def a_box(x, y=200.0, size=60.0):
    return a_detection(x, y, size).box


def a_path(x, *, size=60.0, unseen_s=0.0):
    path = Path(a_box(x, size=size))
    for _ in range(20):
        path.advance(0.1)
        path.correct(a_box(x, size=size), 0.1, contested=False)
    path.advance(0.1 + unseen_s)
    return path


def test_each_face_goes_on_with_its_own_detection():
    assert associate([a_path(100), a_path(400)], [a_box(403), a_box(98)]) == [(0, 1), (1, 0)]


def test_a_far_detection_continues_nothing():
    assert associate([a_path(100)], [a_box(500)]) == []


def test_a_face_of_quite_another_size_continues_nothing():
    assert associate([a_path(100)], [a_box(100, size=200)]) == []


def test_one_detection_goes_to_the_face_that_was_surely_there():
    lost, seen = a_path(105, unseen_s=1.0), a_path(100)
    assert associate([lost, seen], [a_box(104)]) == [(1, 0)]


def test_a_face_is_rather_missed_than_pushed_to_its_neighbours_detection():
    # Pairing both would take the right face's own detection away from it.
    left, right = a_path(100), a_path(160)
    assert associate([left, right], [a_box(160), a_box(260)]) == [(1, 0)]


def test_however_long_a_face_was_lost_it_does_not_jump_across_the_picture():
    assert associate([a_path(100, unseen_s=30.0)], [a_box(300)]) == []


boxes = st.builds(a_box, st.floats(0, 640), st.floats(0, 480), st.floats(8, 200))


@given(st.lists(boxes, max_size=6), st.lists(st.floats(0, 640), max_size=6))
def test_nothing_is_paired_twice(found, places):
    pairs = associate([a_path(x) for x in places], found)
    assert len({path for path, _ in pairs}) == len({box for _, box in pairs}) == len(pairs)


@given(st.lists(st.floats(0, 640), min_size=1, max_size=4), st.data())
def test_boxes_without_area_or_far_outside_break_nothing(places, data):
    strange = data.draw(
        st.lists(
            st.builds(Box, *[st.floats(-1e6, 1e6)] * 4),
            max_size=4,
        )
    )
    associate([a_path(x) for x in places], strange)
