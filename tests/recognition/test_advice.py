from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.recognition import a_quality
from edged.domain.face import Rejection
from edged.recognition.advice import Shown, advice, occasion_of, weaknesses
from edged.settings.recognition import Quality


def shown(occasion, *, yaw_deg=0.0, brightness=120.0, is_grey=False, is_covered=False):
    return Shown(occasion, yaw_deg, brightness, is_grey=is_grey, is_covered=is_covered)


VARIED = [
    shown("monday.jpg", yaw_deg=-15, brightness=90),
    shown("holiday.jpg", yaw_deg=3, brightness=150),
    shown("clip.mp4", yaw_deg=20, brightness=120),
]


def test_three_varied_pictures_lack_nothing():
    assert advice("Ada", VARIED) == []


@pytest.mark.parametrize(
    ("faces", "words"),
    [
        (VARIED[:1], "only one picture stands for Ada: add two or more of other days"),
        ([replace(face, occasion="clip.mp4") for face in VARIED], "all faces of Ada are from one moment"),
        ([replace(face, yaw_deg=face.yaw_deg / 10) for face in VARIED], "Ada looks the same way everywhere"),
        ([replace(face, brightness=120 + face.yaw_deg / 10) for face in VARIED], "are in the same light"),
        ([replace(face, is_grey=True) for face in VARIED], "no face of Ada has colours"),
        ([*VARIED, shown("beach.jpg", is_covered=True)], "a face of Ada seems covered"),
    ],
)
def test_each_lack_has_its_own_advice(faces, words):
    (told,) = advice("Ada", faces)
    assert words in told


def test_one_grey_face_among_others_is_variety():
    assert advice("Ada", [*VARIED, shown("night.mkv", is_grey=True)]) == []


def test_what_is_not_known_any_more_is_not_asked_for():
    stored = [Shown(name, None, None, is_grey=False, is_covered=False) for name in ("a.jpg", "b.jpg")]
    assert advice("Ada", stored) == []


def test_nobody_gets_no_advice():
    assert advice("Ada", []) == []


def test_a_source_names_its_file_without_the_time():
    assert occasion_of("clip.mp4 at 12.3 s") == "clip.mp4"
    assert occasion_of("at home.jpg") == "at home.jpg"


def test_every_reason_has_a_remedy():
    said_of_looks = [reason for reason in Rejection if reason not in (Rejection.TINY, Rejection.ODD)]
    for reason in said_of_looks:
        (told,) = weaknesses(replace(a_quality(), rejections=(reason,)), Quality())
        assert told.startswith(reason)
        assert ": " in told


def test_weaknesses_are_told_with_what_was_measured():
    small = replace(a_quality(), rejections=(Rejection.TOO_SMALL,), size_px=11.6)
    assert (
        "(12 pixels between the eyes, and 16 are asked for): come closer" in weaknesses(small, Quality())[0]
    )


def test_a_covered_face_is_weak_although_it_may_be_used():
    covered = replace(a_quality(), occlusion=0.9)
    assert covered.is_good
    assert weaknesses(covered, Quality()) == ["covered: take off sunglasses, mask or scarf"]


def test_a_good_face_has_no_weakness():
    assert weaknesses(a_quality(), Quality()) == []


faces = st.lists(
    st.builds(
        Shown,
        st.sampled_from(["a.jpg", "b.jpg", "c.mp4"]),
        st.none() | st.floats(-40, 40),
        st.none() | st.floats(0, 255),
        is_grey=st.booleans(),
        is_covered=st.booleans(),
    ),
    max_size=8,
)


@given(faces, st.randoms(use_true_random=False))
def test_the_order_of_faces_does_not_matter(some, random):
    shuffled = random.sample(some, len(some))
    assert advice("Ada", shuffled) == advice("Ada", some)
