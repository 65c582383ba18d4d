from hypothesis import given
from hypothesis import strategies as st

from edged.delivery.batch import Batch
from edged.delivery.outcome import DELIVERED, Fate, Outcome
from edged.delivery.parcel import Parcel
from edged.domain.message import Message, MessageKind

FAILED = Outcome(Fate.FAILED, "500")
REFUSED = Outcome(Fate.REFUSED, "410")


def parcels_of(subjects):
    return [
        Parcel(n, Message(MessageKind.JOB, "home", "door", s, n + 1, is_final=True, body=b"", at_ms=0), 0, 0)
        for n, s in enumerate(subjects)
    ]


def test_different_subjects_go_out_together_and_one_subject_one_after_the_other():
    batch = Batch(parcels_of("abab"))
    for index in (0, 1):
        assert batch.peek() == index
        batch.sent(index)
    assert batch.peek() is None
    assert not batch.is_done
    batch.answered(0, DELIVERED)
    assert batch.peek() == 2


def test_after_a_failed_one_the_rest_of_its_subject_is_not_tried():
    batch = Batch(parcels_of("aab"))
    batch.sent(0)
    batch.answered(0, FAILED)
    assert batch.peek() == 2
    batch.sent(2)
    batch.answered(2, REFUSED)
    assert batch.is_done
    assert [o.fate for o in batch.outcomes()] == [Fate.FAILED, Fate.UNTRIED, Fate.REFUSED]


def test_nothing_to_send_is_done_at_once():
    assert Batch(()).is_done


@given(st.lists(st.sampled_from("abc"), max_size=12), st.randoms(use_true_random=False))
def test_however_answers_come_no_subject_is_out_of_order_or_twice_on_its_way(subjects, chance):
    parcels = parcels_of(subjects)
    batch, on_their_way = Batch(parcels), []
    while not batch.is_done:
        index = batch.peek()
        if index is not None and (not on_their_way or chance.random() < 0.6):
            assert all(subjects[i] != subjects[index] for i in on_their_way)
            batch.sent(index)
            on_their_way.append(index)
        else:
            answered = on_their_way.pop(chance.randrange(len(on_their_way)))
            batch.answered(answered, chance.choice([DELIVERED, FAILED, REFUSED]))
        assert batch.in_flight == len(on_their_way)
    for subject in set(subjects):
        fates = [o.fate for o, s in zip(batch.outcomes(), subjects, strict=True) if s == subject]
        if Fate.FAILED in fates:
            assert set(fates[fates.index(Fate.FAILED) + 1 :]) <= {Fate.UNTRIED}
        else:
            assert Fate.UNTRIED not in fates
