from edged.publish.latest_states import LatestStates, Saying


def taken(states: LatestStates) -> list[tuple[str, bytes]]:
    found = []
    while (saying := states.take()) is not None:
        found.append((saying.topic, saying.body))
    return found


def states_of(*sayings: Saying) -> LatestStates:
    states = LatestStates()
    for saying in sayings:
        states.put(saying)
    return states


def test_only_the_latest_of_a_topic_is_sent():
    assert taken(states_of(Saying("a", b"1"), Saying("b", b"1"), Saying("a", b"2"))) == [
        ("a", b"2"),
        ("b", b"1"),
    ]


def test_a_new_connection_is_told_everything_but_what_is_not_kept():
    states = states_of(Saying("a", b"1"), Saying("picture", b"jpeg", retain=False))
    states.all_unsent()
    assert taken(states) == [("a", b"1")]


def test_what_is_not_kept_is_sent_once():
    states = states_of(Saying("picture", b"jpeg", retain=False))
    assert taken(states) == [("picture", b"jpeg")]
    states.again()
    assert taken(states) == []


def test_that_a_picture_is_gone_is_told_to_the_next_connection():
    states = states_of(Saying("picture", b"", retain=False))
    states.all_unsent()
    assert taken(states) == [("picture", b"")]


def test_what_is_put_last_comes_after_everything_else():
    states = states_of(Saying("status", b"online"), Saying("a", b"1"))
    states.put_last(Saying("status", b"online"))
    assert [topic for topic, _ in taken(states)] == ["a", "status"]


def test_a_topic_is_clear_when_the_clearing_is_acknowledged():
    clearing = Saying("a", b"")
    states = states_of(clearing)
    taken(states)
    assert states.acknowledged(clearing)
    states.again()
    assert taken(states) == []


def test_a_topic_is_not_clear_where_something_was_said_meanwhile():
    clearing = Saying("a", b"")
    states = states_of(clearing)
    taken(states)
    states.put(Saying("a", b"1"))
    assert not states.acknowledged(clearing)
    assert taken(states) == [("a", b"1")]
