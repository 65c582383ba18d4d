import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.faces_in_motion import a_glance, moment_of
from edged.tracking.belief import MOST_CHANGE, MOST_CHANGE_PER_S, Belief, Refusal


def believed(*glances, needed=3, every_s=0.1):
    """Whether the track is believed after each of these looks, and the belief."""
    belief = Belief(needed)
    return [belief.take(moment_of(n * every_s), glance) for n, glance in enumerate(glances)], belief


def test_several_looks_in_agreement_are_believed():
    said, belief = believed(*[a_glance()] * 4)
    assert said == [False, False, True, True]
    assert belief.doubt is None


def test_one_doubtful_look_delays_by_no_more_than_the_looks_that_are_judged():
    said, _ = believed(a_glance(), a_glance(misfit=0.9), a_glance(), a_glance(), a_glance())
    assert said == [False, False, False, False, True]


def test_a_face_of_which_one_look_is_unsure_is_not_held_up():
    # Of 522 faces in the test footage the least presence was 0.6.
    said, _ = believed(a_glance(), a_glance(0.45), a_glance())
    assert said[-1]


def test_the_last_look_must_say_face():
    said, belief = believed(a_glance(), a_glance(), a_glance(0.4))
    assert not said[-1]
    assert belief.doubt is Refusal.NO_FACE


def test_looks_that_are_unsure_on_average_are_no_face():
    said, belief = believed(a_glance(0.1), a_glance(0.1), a_glance(0.9))
    assert not said[-1]
    assert belief.doubt is Refusal.NO_FACE


def test_a_shape_that_jumps_in_its_box_is_no_face():
    said, belief = believed(*[a_glance(shift=0.3 * (n % 2)) for n in range(6)])
    assert not any(said)
    assert belief.doubt is Refusal.MOTION


def test_a_head_may_turn_in_half_a_second():
    said, _ = believed(*[a_glance(shift=0.2 * (n % 2)) for n in range(6)], every_s=0.5)
    assert said[-1]


@pytest.mark.parametrize("needed", [1, 2, 30])
def test_it_takes_as_many_looks_as_asked_for(needed):
    said, _ = believed(*[a_glance()] * (needed + 1), needed=needed)
    assert said == [False] * (needed - 1) + [True, True]


def test_a_head_that_keeps_perfectly_still_is_believed():
    # Bottles move as much from look to look as people who sit: stillness says nothing.
    said, _ = believed(*[a_glance(shift=0.0)] * 3)
    assert said[-1]


def test_what_was_said_most_often_is_the_refusal():
    looks = [a_glance(0.1), a_glance(misfit=0.9), a_glance(0.1), a_glance(0.1)]
    _, belief = believed(*looks, needed=1)
    assert belief.refusal is Refusal.NO_FACE
    _, belief = believed(a_glance(0.1), *[a_glance(misfit=0.9)] * 2, needed=1)
    assert belief.refusal is Refusal.SIZE


def test_without_any_doubt_it_was_too_brief():
    _, belief = believed(a_glance())
    assert belief.refusal is Refusal.BRIEF


looks = st.lists(
    st.builds(
        a_glance,
        st.floats(0, 1),
        misfit=st.floats(0, 0.5),
        size=st.floats(0.2, 0.7),
        shift=st.floats(0, 0.4),
    ),
    min_size=1,
    max_size=8,
)


@given(looks, st.integers(1, 5))
def test_nothing_is_believed_and_doubted_at_once(glances, needed):
    belief = Belief(needed)
    for number, glance in enumerate(glances):
        if belief.take(moment_of(number / 10), glance):
            assert belief.doubt is None
            assert glance.is_face


@given(looks, st.floats(0.05, 2))
def test_a_shape_within_the_limit_never_jumps(glances, every_s):
    belief = Belief(3)
    for number, glance in enumerate(glances):
        belief.take(moment_of(number * every_s), glance)
        if all(
            glance.fit.shape.max() * 1.5 <= MOST_CHANGE + MOST_CHANGE_PER_S * every_s for glance in glances
        ):
            assert belief.doubt is not Refusal.MOTION
