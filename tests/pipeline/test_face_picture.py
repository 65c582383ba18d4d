"""The picture of the last decided face."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.recognition import UNDECIDED, an_identity, an_observation, at, known
from edged.domain.box import Box
from edged.domain.frame import Frame
from edged.pipeline.face_picture import MOST_PX, FacePicture, portrait_of

ADA, BEN = an_identity("Ada", number=1), an_identity("Ben", number=2)
PIXELS = np.full((240, 320, 3), 90, np.uint8)


@pytest.fixture
def shown():
    return []


@pytest.fixture
def picture(shown):
    return FacePicture("home", "hall", shown.append, shown.append)


def a_frame(ms):
    return Frame("hall", 1, at(ms), PIXELS)


def test_the_best_face_of_those_who_are_there_is_shown(picture, shown):
    faces = [
        an_observation("t1", known(ADA), quality=0.5),
        an_observation("t2", known(BEN), quality=0.7),
        an_observation("t3", UNDECIDED, quality=0.9),
    ]

    picture.look(a_frame(0), faces, {ADA.id, BEN.id})

    (image,) = shown
    assert (image.namespace, image.feed_id, image.identity_id) == ("home", "hall", BEN.id)
    assert image.at_ms == at(0).utc_ms


def test_who_is_not_there_yet_is_not_shown(picture, shown):
    picture.look(a_frame(0), [an_observation("t1", known(ADA))], set())

    assert shown == []


def test_there_is_one_a_second_at_most(picture, shown):
    for ms in (0, 500, 999, 1000):
        picture.look(a_frame(ms), [an_observation("t1", known(ADA))], {ADA.id})

    assert [image.at_ms for image in shown] == [at(0).utc_ms, at(1000).utc_ms]


def test_only_what_is_shown_is_taken_back(picture, shown):
    picture.hide()
    assert shown == []
    picture.look(a_frame(0), [an_observation("t1", known(ADA))], {ADA.id})
    picture.hide()
    picture.hide()

    assert shown[1:] == ["hall"]
    picture.look(a_frame(10), [an_observation("t1", known(ADA))], {ADA.id})
    assert len(shown) == 3, "another one may be shown at once"


EDGES = st.floats(-500, 900)


@given(x=EDGES, y=EDGES, width=st.floats(1, 900), height=st.floats(1, 900))
def test_any_box_gives_a_picture_that_is_not_too_large(x, y, width, height):
    jpeg = portrait_of(PIXELS, Box(x, y, x + width, y + height))

    decoded = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert max(decoded.shape[:2]) <= MOST_PX
