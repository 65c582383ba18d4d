import pytest

from edged.evaluation.track_findings import Outcome, Seen, outcome_of, tally


def a_track(outcome, person="Ada", *, enrolled=True):
    return Seen(split=0, clip="a.mkv", person=person, enrolled=enrolled, outcome=outcome)


@pytest.mark.parametrize(
    ("enrolled", "said", "verdict", "names", "outcome"),
    [
        (True, "Ada", "known", ["Ada"], Outcome.RIGHT),
        (True, "Ben", "known", ["Ben"], Outcome.WRONG),
        (True, "Ada", "known", ["Ben", "Ada"], Outcome.WRONG),
        (True, None, "unknown", [], Outcome.MISSED),
        (True, None, "undecided", [], Outcome.UNDECIDED),
        (False, None, "unknown", [], Outcome.REJECTED),
        (False, None, "undecided", [], Outcome.REJECTED),
        (False, "Ben", "known", ["Ben"], Outcome.WRONG),
        (False, None, "unknown", ["Ben"], Outcome.WRONG),
    ],
)
def test_a_track_comes_to_one_outcome(enrolled, said, verdict, names, outcome):
    assert outcome_of("Ada", enrolled=enrolled, said=said, verdict=verdict, names=names) is outcome


def test_misses_are_shares_of_the_enrolled_and_false_names_of_the_strangers():
    seen = [
        a_track(Outcome.RIGHT),
        a_track(Outcome.MISSED),
        a_track(Outcome.NOT_SEEN),
        a_track(Outcome.RIGHT, "Ben"),
        a_track(Outcome.REJECTED, "Cy", enrolled=False),
        a_track(Outcome.WRONG, "Di", enrolled=False),
        a_track(Outcome.EMPTY, "", enrolled=False),
    ]

    found = tally(seen, resamples=50, seed=1)

    assert (found.missed.events, found.missed.trials) == (2, 4)
    assert (found.strangers_named.events, found.strangers_named.trials) == (1, 2)
    assert (found.wrong.events, found.wrong.trials) == (1, 7)
    assert found.counts["right name"] == 2


def test_without_tracks_nothing_is_known():
    found = tally([], resamples=50, seed=1)

    assert (found.missed.trials, found.missed.high) == (0, 1.0)
