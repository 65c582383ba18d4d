"""One picture of a request, step by step, with the real models."""

from dataclasses import replace

import cv2
import msgspec
import numpy as np
import pytest

from builders.capture import HandClock
from builders.requests import SETTINGS, a_jpeg
from builders.scenes import a_picture, real_models
from edged.api.request_job import AskedPicture
from edged.camera.picture import request_picture_of
from edged.domain.group import GroupedTrack
from edged.domain.picture_address import PictureAddresses
from edged.pipeline.galleries import Galleries
from edged.pipeline.group_books import GroupBooks
from edged.pipeline.picture import Manner, PictureWork, Tools
from edged.pipeline.unknown_people import Grouping, UnknownPeople
from edged.recognition.grouping import GroupBook

ASKED = AskedPicture("image-1", None, None, "edged://porch/api/image-1", "mine")
CALIBRATION = real_models().calibrated()
MANNER = Manner.of(SETTINGS, CALIBRATION)


class Groups:
    """The groups of unknown people, and what is told of them."""

    def __init__(self):
        self.told = []
        self.books = GroupBooks(
            lambda: GroupBook(CALIBRATION, 1e-4, most_groups=50, new_visit_after_ms=60_000)
        )

    def people(self, namespace, feed_id):
        grouping = Grouping(
            lambda: self.books.of(namespace), self.told.append, CALIBRATION, "0" * 64, keep_chips=True
        )
        return UnknownPeople(feed_id, grouping)


def tools(people=lambda _, feed_id: UnknownPeople(feed_id), *, keeps=False):
    return Tools(
        real_models(),
        lambda data, name: request_picture_of(data, name, 10_000_000, 20_000_000),
        Galleries(CALIBRATION).current,
        people,
        PictureAddresses("porch", "https://cam.example" if keeps else None, keeps),
        HandClock(),
    )


def done(steps):
    """The result, and how many steps it took."""
    count = 1
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value, count
        count += 1


def recognised(pixels, manner=MANNER, with_tools=None, asked=ASKED, feed_id=None):
    work = PictureWork(with_tools or tools(), manner, a_jpeg(pixels), "a picture")
    return done(work.recognise(asked, "home", feed_id))


def test_every_run_of_a_model_is_a_step_of_its_own():
    result, steps = recognised(a_picture())
    _, steps_without_face = recognised(a_picture(None))

    assert len(result.image.objects) == 1
    assert steps_without_face == 2, "decode; detect"
    assert steps == 5, "decode; detect; mesh; embed; decide"


def test_an_unknown_face_gets_a_group_and_comes_back_to_it():
    groups = Groups()
    with_groups = tools(groups.people)

    first, _ = recognised(a_picture(), with_tools=with_groups, feed_id="not a feed")
    again, _ = recognised(
        a_picture(260), with_tools=with_groups, asked=replace(ASKED, id="image-2"), feed_id="door"
    )

    (one,), (two,) = first.image.objects, again.image.objects
    assert one.edge.decision == two.edge.decision == "unknown"
    assert one.edge.group_id == two.edge.group_id is not None
    assert [(news.track_id, news.feed_id) for news in groups.told if isinstance(news, GroupedTrack)] == [
        (one.edge.track_id, "api"),
        (two.edge.track_id, "door"),
    ]
    assert first.faces[0].feed_id == "not a feed"
    assert (first.faces[0].custom_id, first.faces[0].track_id) == ("mine", one.edge.track_id)


def test_a_large_picture_is_looked_at_smaller_and_told_in_its_own_pixels():
    large = cv2.resize(a_picture(), (3200, 2400), interpolation=cv2.INTER_CUBIC)
    pixels = replace(MANNER, unit="pixels")

    usual, _ = recognised(a_picture(), manner=pixels)
    result, _ = recognised(large, manner=pixels)

    (small,), (told,) = usual.image.objects, result.image.objects
    for edge in ("x_min", "y_min", "x_max", "y_max"):
        assert getattr(told.bounding_box, edge) == pytest.approx(
            5 * getattr(small.bounding_box, edge), abs=60
        )
    (face,) = result.faces
    assert face.width_px == pytest.approx(told.bounding_box.x_max - told.bounding_box.x_min, abs=2)


def test_a_kept_picture_is_no_wider_than_a_screen_and_upright():
    result, _ = recognised(np.full((1000, 2400, 3), 90, np.uint8), with_tools=tools(keeps=True))

    kept = cv2.imdecode(np.frombuffer(result.picture.jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert kept.shape == (800, 1920, 3)
    assert result.image.url == "https://cam.example/v2/recognition/pictures/home/image-1"


def test_the_same_picture_gives_the_same_image_again():
    first, second = (recognised(a_picture())[0].image for _ in range(2))

    assert msgspec.json.encode(first) == msgspec.json.encode(second)


def test_a_look_for_enrolment_shows_the_largest_face_first_and_leaves_out_tiny_ones():
    both = np.hstack([a_picture(220, x=60, width=320), a_picture(320, x=40, y=80, width=320)])
    work = PictureWork(tools(), MANNER, a_jpeg(both), "a picture")
    large_only = replace(MANNER, min_face_px=90.0)

    look, _ = done(work.look())
    few, _ = done(PictureWork(tools(), large_only, a_jpeg(both), "a picture").look())

    widths = [face.detection.box.width for face in look.faces]
    assert len(widths) == 2
    assert widths == sorted(widths, reverse=True)
    assert all(face.embedding is not None and face.chip is not None for face in look.faces)
    assert len(few.faces) == sum(min(f.detection.box.width, f.detection.box.height) >= 90 for f in look.faces)
    assert len(few.faces) < 2
