"""The one place where a frame may be dropped."""

import threading

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from edged.domain.frame import Frame
from edged.domain.moment import Moment
from edged.pipeline.slot import SlotRing, Taken

LONG_S = 20
PIXELS = np.zeros((1, 1, 3), np.uint8)


def a_frame(feed_id: str = "door", number: int = 1) -> Frame:
    return Frame(feed_id, number, Moment(number, number), PIXELS)


def taken(ring: SlotRing, count: int) -> list[tuple[str, int | None]]:
    def told(one: Taken | None) -> tuple[str, int | None]:
        assert one is not None
        return one.feed_id, None if one.frame is None else one.frame.number

    return [told(ring.take(LONG_S)) for _ in range(count)]


def in_thread(work: object) -> threading.Thread:
    thread = threading.Thread(target=work)  # type: ignore[arg-type]
    thread.start()
    return thread


def test_the_newest_frame_wins_and_the_drop_is_counted():
    ring = SlotRing(("door",))
    for number in (1, 2, 3):
        assert ring.put(a_frame(number=number), lossless=False)

    assert taken(ring, 1) == [("door", 3)]
    assert ring.take(0) is None
    assert ring.dropped("door") == 2


def test_a_feed_that_may_lose_nothing_waits_for_its_slot():
    ring = SlotRing(("clip",))
    writer = in_thread(lambda: [ring.put(a_frame("clip", number), lossless=True) for number in range(1, 6)])

    assert taken(ring, 5) == [("clip", number) for number in range(1, 6)]
    writer.join(LONG_S)
    assert ring.dropped("clip") == 0


def test_a_busy_feed_does_not_starve_another():
    ring = SlotRing(("busy", "quiet"))
    seen = []
    for number in range(1, 4):
        ring.put(a_frame("busy", number), lossless=False)
        if number == 1:
            ring.put(a_frame("quiet"), lossless=False)
        seen += taken(ring, 1)

    assert seen == [("busy", 1), ("quiet", 1), ("busy", 3)]


def test_the_end_of_a_feed_comes_after_its_last_frame():
    ring = SlotRing(("clip",))
    ring.put(a_frame("clip"), lossless=True)
    ring.end("clip")

    assert taken(ring, 2) == [("clip", 1), ("clip", None)]
    assert ring.take(0) is None


def test_a_busy_feed_does_not_keep_the_end_of_another_back():
    ring = SlotRing(("busy", "clip"))
    ring.end("clip")
    ring.put(a_frame("busy", 1), lossless=False)
    first = taken(ring, 1)
    ring.put(a_frame("busy", 2), lossless=False)

    assert first + taken(ring, 1) == [("busy", 1), ("clip", None)]


def test_closing_wakes_who_puts_and_who_takes():
    full, empty = SlotRing(("clip",)), SlotRing(("clip",))
    full.put(a_frame("clip"), lossless=True)
    answers: list[object] = []
    threads = [
        in_thread(lambda: answers.append(full.put(a_frame("clip", 2), lossless=True))),
        in_thread(lambda: answers.append(empty.take(600))),
    ]
    full.close()
    empty.close()
    for thread in threads:
        thread.join(LONG_S)

    assert sorted(map(str, answers)) == ["False", "None"]
    assert not full.put(a_frame("clip", 3), lossless=False)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans())))
def test_every_frame_is_taken_or_counted_as_dropped(steps: list[tuple[str, bool]]):
    ring = SlotRing(("a", "b", "c"))
    put = dict.fromkeys("abc", 0)
    got = dict.fromkeys("abc", 0)
    for feed_id, take in steps:
        put[feed_id] += 1
        ring.put(a_frame(feed_id, put[feed_id]), lossless=False)
        if take and (one := ring.take(0)) is not None:
            got[one.feed_id] += 1
    while (one := ring.take(0)) is not None:
        got[one.feed_id] += 1

    assert {feed_id: got[feed_id] + ring.dropped(feed_id) for feed_id in "abc"} == put


def test_a_nudge_ends_the_wait_once_and_says_of_no_frame():
    slots = SlotRing(("a",))
    slots.nudge()

    assert slots.take(60) is None, "at once"
    assert not slots.has_waiting
    assert slots.take(0) is None


def test_what_waits_is_seen_without_taking_it():
    slots = SlotRing(("a",))
    assert not slots.has_waiting

    slots.end("a")

    assert slots.has_waiting
    assert slots.take(0).frame is None
    assert not slots.has_waiting
