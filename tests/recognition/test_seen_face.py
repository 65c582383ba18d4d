"""What the history keeps of a face is what was seen of it, and nothing more."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.namespaces import random_chip
from builders.recognition import UNKNOWN, a_quality, an_embedding, an_identity, an_observation, at, known
from edged.recognition.seen_face import seen_face_of, share_of_sharpness
from edged.recognition.sighting import Observation
from edged.recognition.wire import object_of, wire_box

ADA = an_identity("Ada")


def seen(face=None, decision=UNKNOWN, *, width_px=640, height_px=480, **values):
    observation = an_observation("t1", decision)
    if face is not None:
        observation = Observation("t1", face, decision)
    face = observation.face
    box = wire_box(face.detection.box, width_px, height_px, "fractions")
    obj = object_of(observation, decision, face_id="a-face", at=at(120), box=box)
    asked = {
        "image_id": "an-image",
        "feed_id": "hall",
        "custom_id": None,
        "model_hash": "ab",
        "min_sharpness": 25.0,
        "width_px": width_px,
        "height_px": height_px,
    }
    return obj, seen_face_of(obj, face, **(asked | values))


def a_looked_at_face(**quality):
    return dataclasses.replace(
        an_observation().face,
        quality=dataclasses.replace(a_quality(), **quality),
        chip=random_chip(1),
        embedding=an_embedding(),
    )


def test_it_is_called_and_placed_as_in_the_job():
    obj, face = seen(decision=known(ADA), custom_id="photo-1")

    assert (face.id, face.image_id, face.track_id) == ("a-face", "an-image", "t1")
    assert (face.feed_id, face.custom_id) == ("hall", "photo-1")
    assert face.identity_id == ADA.id
    assert face.box == obj.bounding_box
    assert face.created_ms == at(120).utc_ms


def test_a_good_face_brings_what_it_takes_to_enrol_it():
    shown = a_looked_at_face()
    _, face = seen(shown)

    assert face.chip is shown.chip
    assert face.embedding is shown.embedding
    assert face.model_hash == "ab"
    assert face.quality == shown.quality.score


def test_of_a_face_nobody_looked_at_closely_nothing_is_made_up():
    _, face = seen(dataclasses.replace(an_observation().face, quality=None))

    assert (face.quality, face.is_frontal, face.sharpness) == (None, None, None)
    assert (face.chip, face.embedding, face.model_hash) == (None, None, None)


@pytest.mark.parametrize(("degrees", "is_frontal"), [(0, True), (20, True), (30, False), (90, False)])
def test_frontal_is_who_looks_into_the_camera(degrees, is_frontal):
    _, face = seen(a_looked_at_face(frontality=float(np.cos(np.radians(degrees)))))

    assert face.is_frontal is is_frontal


def test_its_size_is_that_of_the_part_in_the_picture():
    _, face = seen(width_px=120, height_px=480)

    assert (face.width_px, face.height_px) == (20, 50), "the box ends 30 pixels beyond the picture"


def test_half_sharp_is_where_the_settings_refuse():
    assert share_of_sharpness(25.0, 25.0) == 0.5
    assert share_of_sharpness(0.0, 25.0) == 0.0
    assert share_of_sharpness(3.0, 0.0) == 1.0, "nothing is refused"


@given(st.floats(0, 1e6), st.floats(0, 1e6), st.floats(0, 10_000))
def test_sharper_is_never_less(one, other, least):
    lower, higher = sorted((share_of_sharpness(one, least), share_of_sharpness(other, least)))

    assert 0 <= lower <= higher <= 1
    assert share_of_sharpness(max(one, other), least) == higher
