"""Who has to wait takes turns."""

from hypothesis import given
from hypothesis import strategies as st

from edged.pipeline.rounds import Rounds

OWNERS = st.lists(st.sampled_from("abc"), max_size=40)


def emptied(rounds):
    taken = []
    while (item := rounds.take()) is not None:
        taken.append(item)
    return taken


@given(OWNERS)
def test_everything_comes_out_once_and_in_its_owners_order(owners):
    rounds = Rounds()
    for number, owner in enumerate(owners):
        rounds.put(owner, (owner, number))
    assert len(rounds) == len(owners)

    taken = emptied(rounds)

    assert sorted(taken) == sorted((owner, number) for number, owner in enumerate(owners))
    for owner in "abc":
        numbers = [number for one, number in taken if one == owner]
        assert numbers == sorted(numbers)
    assert len(rounds) == 0


@given(OWNERS)
def test_nobody_has_a_second_turn_before_others_had_their_first(owners):
    rounds = Rounds()
    for owner in owners:
        rounds.put(owner, owner)

    taken = emptied(rounds)

    counts = {owner: owners.count(owner) for owner in set(owners)}
    for end in range(len(taken)):
        so_far = {owner: taken[:end].count(owner) for owner in counts}
        waiting = [so_far[owner] for owner in counts if so_far[owner] < counts[owner]]
        assert so_far[taken[end]] == min(waiting)


def test_a_newcomer_waits_for_one_item_of_each_before():
    rounds = Rounds()
    for number in range(64):
        rounds.put("large", number)
    rounds.put("small", "mine")

    assert [rounds.take(), rounds.take()] == [0, "mine"]
    rounds.clear()
    assert rounds.take() is None
