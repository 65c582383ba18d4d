"""Whether pictures are believed."""

import numpy as np
import pytest

from edged.domain.errors import CameraFault
from edged.domain.frame import Pixels
from edged.pipeline.health import PictureWatch
from edged.settings.feeds import Health
from edged.settings.quantities import Duration

RNG_SEED = 7


def a_scene(seed: int = RNG_SEED) -> Pixels:
    return np.random.default_rng(seed).integers(0, 256, (48, 64, 3)).astype(np.uint8)


def one_colour(colour: int = 90, noise: int = 0, seed: int = RNG_SEED) -> Pixels:
    grain = np.random.default_rng(seed).integers(-noise, noise + 1, (48, 64, 3))
    return (colour + grain).astype(np.uint8)


def a_watch(frozen_after: float | None = 10, one_colour_after: float | None = 5) -> PictureWatch:
    return PictureWatch(
        Health(
            frozen_after=None if frozen_after is None else Duration(frozen_after),
            one_colour_after=None if one_colour_after is None else Duration(one_colour_after),
        )
    )


def test_a_scene_that_changes_is_believed():
    watch = a_watch()

    assert [watch.look(a_scene(second), second) for second in range(60)] == [None] * 60
    assert watch.disbelief is None


def test_the_same_picture_for_too_long_is_frozen():
    watch = a_watch(frozen_after=10)
    faults = [watch.look(a_scene(), second) for second in range(13)]

    # The second picture is the first that repeats another.
    assert faults.index(CameraFault.FROZEN) == 11
    assert watch.disbelief is CameraFault.FROZEN


def test_one_different_picture_begins_the_time_anew():
    watch = a_watch(frozen_after=10)
    for second in range(10):
        assert watch.look(a_scene(), second) is None
    watch.look(a_scene(1), 10)

    assert [watch.look(a_scene(), second) for second in range(11, 21)] == [None] * 10


@pytest.mark.parametrize("colour", [0, 90, 255])
def test_one_flat_colour_for_too_long_is_told(colour: int):
    watch = a_watch(one_colour_after=5)
    faults = [watch.look(one_colour(colour), second) for second in range(7)]

    assert faults.index(CameraFault.ONE_COLOUR) == 5


def test_a_covered_lens_is_one_colour_though_its_sensor_is_noisy():
    watch = a_watch(one_colour_after=5)
    faults = [watch.look(one_colour(20, noise=2, seed=second), second) for second in range(7)]

    assert CameraFault.ONE_COLOUR in faults


def test_a_dark_scene_with_something_in_it_is_believed():
    night = one_colour(10)
    night[10:30, 20:50] = 40
    watch = a_watch(frozen_after=None, one_colour_after=5)

    assert [watch.look(night, second) for second in range(60)] == [None] * 60


def test_two_pictures_far_apart_prove_nothing():
    watch = a_watch(frozen_after=10)

    assert watch.look(a_scene(), 0) is None
    assert watch.look(a_scene(), 3600) is None


def test_neither_is_looked_for_where_the_owner_says_so():
    watch = a_watch(frozen_after=None, one_colour_after=None)

    assert [watch.look(one_colour(), second) for second in range(600)] == [None] * 600


def test_after_a_reconnection_the_same_picture_is_still_not_believed_and_has_its_time_again():
    watch = a_watch(frozen_after=10)
    for second in range(12):
        watch.look(a_scene(), second)
    watch.reopened()

    faults = [watch.look(a_scene(), second) for second in range(20, 33)]

    assert faults.index(CameraFault.FROZEN) == 10
    assert watch.disbelief is CameraFault.FROZEN


def test_after_a_reconnection_another_picture_is_believed_at_once():
    watch = a_watch(frozen_after=10)
    for second in range(12):
        watch.look(a_scene(), second)
    watch.reopened()

    assert watch.look(a_scene(3), 20) is None
    assert watch.disbelief is None
