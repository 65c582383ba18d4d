from hypothesis import given
from hypothesis import strategies as st

from edged.delivery.hook_turns import HookTurns, Standing

PROVEN, NEW, FAILING = Standing


def taken(turns: HookTurns, now_ms: int = 0) -> list[str]:
    """Every hook that may begin a turn now."""
    return list(iter(lambda: turns.take(now_ms), None))


def known(threads: int = 4, **standings: Standing) -> HookTurns:
    turns = HookTurns(threads)
    for hook_id, standing in standings.items():
        turns.offer([hook_id])
        turns.take(0)
        turns.end(hook_id, standing, 0)
    return turns


def test_every_hook_has_its_turn_before_one_has_its_second():
    turns = known(1, a=PROVEN, b=PROVEN, c=PROVEN)
    order = []
    for _ in range(6):
        turns.offer(["a", "b", "c"])
        hook_id = turns.take(0)
        order.append(hook_id)
        turns.end(hook_id, PROVEN, 0)
    assert order == ["a", "b", "c", "a", "b", "c"]


def test_no_hook_has_two_turns_at_once():
    turns = known(a=PROVEN)
    turns.offer(["a"])
    assert taken(turns) == ["a"]
    turns.offer(["a"])
    assert taken(turns) == []


def test_failing_receivers_have_half_of_the_threads_and_new_ones_all_but_one():
    failing = {f"f{n}": FAILING for n in range(9)}
    turns = known(**failing)
    turns.offer([*failing, "n1", "n2"])
    assert taken(turns) == ["f0", "f1", "n1"]
    turns.end("f0", FAILING, 0)
    turns.offer([*failing, "n2"])
    assert taken(turns) == ["f2"]


def test_a_receiver_known_to_answer_finds_a_thread_whatever_hangs():
    failing = {f"f{n}": FAILING for n in range(9)}
    turns = known(**failing, good=PROVEN)
    turns.offer([*failing, "n1", "n2", "n3", "good"])
    assert "good" in taken(turns)


def test_a_pause_is_kept_and_ends():
    turns = HookTurns(4)
    turns.offer(["a"])
    turns.take(0)
    turns.end("a", FAILING, 500)
    turns.offer(["a"])
    assert turns.take(499) is None
    assert turns.next_ms() == 500
    assert turns.take(500) == "a"


def test_a_hook_without_mail_has_no_turn():
    turns = HookTurns(4)
    turns.offer(["a", "b"])
    turns.offer(["b"])
    assert taken(turns) == ["b"]
    assert turns.next_ms() is None


def test_what_is_remembered_is_bounded():
    turns = HookTurns(4)
    for number in range(3000):
        turns.offer([str(number)])
        turns.end(str(turns.take(0)), FAILING, 0)
    assert turns.standing("0") is NEW
    assert turns.standing("2999") is FAILING


@given(st.lists(st.tuples(st.integers(0, 9), st.sampled_from(list(Standing)), st.booleans()), max_size=80))
def test_threads_are_never_too_many_and_one_is_always_left_for_the_proven(steps):
    turns = HookTurns(4)
    begun: dict[str, Standing] = {}
    for number, standing, ends in steps:
        turns.offer([str(n) for n in range(number + 1)])
        if ends and begun:
            hook_id = next(iter(begun))
            del begun[hook_id]
            turns.end(hook_id, standing, 0)
        elif (hook_id := turns.take(0)) is not None:
            begun[hook_id] = turns.standing(hook_id)
        held = list(begun.values())
        assert len(held) == turns.busy <= 4
        assert held.count(FAILING) <= 2
        assert held.count(FAILING) + held.count(NEW) <= 3
