"""Which pages are asked for, of whom, and when again."""

import itertools

import pytest

from builders.sync import NAMESPACE
from edged.domain.moment import Moment
from edged.replication.people import page_name
from edged.replication.refusal import Refusal, RefusedError
from edged.replication.statements import PageEntry
from edged.replication.topics import SyncTopics
from edged.sync.page_fetching import MOST_LATE, WINDOW, PageFetching

TOPICS = SyncTopics("edged", NAMESPACE)
PAGES = {page_name(content): content for content in (b"page %03d" % number for number in range(100))}
NAMES = list(PAGES)
ASK_EVERY_MS = 1000


class AMirror:
    """Serves what a test has it serve; notes what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, int]] = []
        self.answers: list[tuple[str, bytes | None]] = []

    def want(self, sha256: str, size_bytes: int) -> None:
        """See `PageSource`."""
        self.asked.append((sha256, size_bytes))

    def came(self) -> list[tuple[str, bytes | None]]:
        """See `PageSource`."""
        answers, self.answers = self.answers, []
        return answers


def entries(count):
    return [PageEntry(place, 0, name, len(PAGES[name])) for place, name in enumerate(NAMES[:count])]


def a_fetching(count, mirror=None):
    fetching = PageFetching(TOPICS, ASK_EVERY_MS, lambda: 0.5, mirror)
    fetching.want(entries(count))
    return fetching


def at(ms):
    return Moment(steady_ms=ms, utc_ms=ms)


def topics_of(names):
    return frozenset(TOPICS.page(name) for name in names)


def refusal_of(fetching, name, sealed):
    with pytest.raises(RefusedError) as caught:
        fetching.arrived(name, sealed)
    return caught.value.refusal


def test_a_few_are_asked_for_at_a_time_in_their_order():
    fetching, asked = a_fetching(20), []
    while fetching.missing:
        fetching.turn(at(0))
        assert len(fetching.subscriptions()) <= WINDOW
        asked += [name for name in NAMES[:20] if TOPICS.page(name) in fetching.subscriptions()]
        for name in NAMES[:20]:
            if TOPICS.page(name) in fetching.subscriptions():
                fetching.arrived(name, PAGES[name])
        assert not fetching.has_room or not fetching.missing
        assert dict(fetching.came()) == {name: PAGES[name] for name in asked[-len(list(fetching.came())) :]}
        fetching.staged()
    assert asked == NAMES[:20]
    assert fetching.subscriptions() == frozenset()
    assert fetching.requests == 20


def test_more_than_there_is_room_for_is_asked_for_again():
    fetching = a_fetching(WINDOW + 1)
    for name in NAMES[: WINDOW + 1]:
        fetching.arrived(name, PAGES[name])
    assert (fetching.missing, fetching.has_room) == (1, False)


@pytest.mark.parametrize(
    ("sealed", "refusal"),
    [
        (b"page 00", Refusal.ALTERED),
        (b"page 001", Refusal.ALTERED),
        (b"page 0000", Refusal.OVERSIZED),
        (b"x" * 100_000, Refusal.OVERSIZED),
    ],
)
def test_what_is_not_what_its_name_says_is_refused_and_still_missing(sealed, refusal):
    fetching = a_fetching(1)
    assert refusal_of(fetching, NAMES[0], sealed) is refusal
    assert (fetching.missing, list(fetching.came())) == (1, [])


def test_what_is_not_wanted_is_refused_but_for_what_came_already():
    fetching = a_fetching(1)
    assert refusal_of(fetching, NAMES[1], PAGES[NAMES[1]]) is Refusal.UNLISTED
    fetching.arrived(NAMES[1], b"")
    fetching.arrived(NAMES[0], b"")
    assert fetching.missing == 1
    fetching.arrived(NAMES[0], PAGES[NAMES[0]])
    fetching.arrived(NAMES[0], PAGES[NAMES[0]])
    assert list(fetching.came()) == [(NAMES[0], PAGES[NAMES[0]])]


def test_what_does_not_come_is_asked_for_again_ever_later_while_others_have_their_turn():
    fetching, asked_ms = a_fetching(1), []
    for ms in range(0, 120_000, 100):
        before = fetching.requests
        fetching.turn(at(ms))
        if fetching.requests > before:
            asked_ms.append(ms)
            assert fetching.asks_again() == (topics_of(NAMES[:1]) if ms else frozenset())
            assert fetching.asks_again() == frozenset()
    waits = [later - earlier for earlier, later in itertools.pairwise(asked_ms)]
    assert len(asked_ms) > 5
    assert waits == sorted(waits)
    assert waits[-1] > 10 * waits[0]


def test_pages_that_do_not_come_give_their_place_to_others():
    fetching = a_fetching(WINDOW + 4)
    seen = set()
    for ms in range(0, 5_000, 250):
        fetching.turn(at(ms))
        seen |= fetching.subscriptions()
    assert seen == topics_of(NAMES[: WINDOW + 4])


def test_late_pages_are_named_and_read_all_the_while_until_they_come():
    fetching = a_fetching(70)
    for ms in range(0, 60_000, 250):
        fetching.turn(at(ms))
    late = fetching.late(MOST_LATE)
    assert len(late) == MOST_LATE
    assert list(late) == sorted(late)
    assert topics_of(late) <= fetching.subscriptions()
    assert len(fetching.subscriptions()) <= MOST_LATE + WINDOW
    # Published again, at no time that it was asked for.
    fetching.arrived(late[0], PAGES[late[0]])
    assert late[0] not in fetching.late(MOST_LATE)
    assert dict(fetching.came()) == {late[0]: PAGES[late[0]]}


def test_a_new_connection_asks_for_all_anew():
    fetching = a_fetching(3)
    for ms in range(0, 10_000, 250):
        fetching.turn(at(ms))
    fetching.restart()
    assert (fetching.subscriptions(), fetching.late(9), fetching.asks_again()) == (
        frozenset(),
        (),
        frozenset(),
    )
    fetching.turn(at(10_000))
    assert fetching.subscriptions() == topics_of(NAMES[:3])


def test_of_another_epoch_what_came_of_it_already_stays():
    fetching = a_fetching(3)
    for name in NAMES[:2]:
        fetching.arrived(name, PAGES[name])
    fetching.want(entries(4)[1:])
    assert [name for name, _ in fetching.came()] == [NAMES[1]]
    assert fetching.missing == 2
    assert refusal_of(fetching, NAMES[0], PAGES[NAMES[0]]) is Refusal.UNLISTED


def test_a_mirror_is_asked_first_and_then_the_broker_by_turns():
    mirror = AMirror()
    fetching = a_fetching(2, mirror)
    fetching.turn(at(0))
    assert mirror.asked == [(name, len(PAGES[name])) for name in NAMES[:2]]
    assert fetching.subscriptions() == frozenset()
    mirror.answers = [(NAMES[0], PAGES[NAMES[0]]), (NAMES[1], None)]
    assert fetching.turn(at(100)) == []
    assert dict(fetching.came()) == {NAMES[0]: PAGES[NAMES[0]]}
    assert fetching.subscriptions() == topics_of(NAMES[1:2])
    assert fetching.asks_again() == topics_of(NAMES[1:2])
    for ms in range(200, 20_000, 100):
        fetching.turn(at(ms))
    assert [name for name, _ in mirror.asked].count(NAMES[1]) >= 2


def test_what_a_mirror_makes_up_is_refused_and_the_broker_asked_at_once():
    mirror = AMirror()
    fetching = a_fetching(1, mirror)
    fetching.turn(at(0))
    mirror.answers = [(NAMES[0], b"page 666"), (NAMES[5], PAGES[NAMES[5]]), (NAMES[6], None)]
    assert [each.refusal for each in fetching.turn(at(1))] == [Refusal.ALTERED, Refusal.UNLISTED]
    assert fetching.subscriptions() == topics_of(NAMES[:1])


def test_a_mirror_that_never_answers_does_not_keep_the_broker_from_being_asked():
    fetching = a_fetching(1, AMirror())
    for ms in range(0, 3_000, 100):
        fetching.turn(at(ms))
    assert fetching.subscriptions() == topics_of(NAMES[:1])
