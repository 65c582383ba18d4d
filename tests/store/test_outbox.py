import itertools
import json
import logging
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from edged.delivery.age import KNOWN_TIME_MS
from edged.delivery.route import Route
from edged.delivery.settlement import Retry, Settlement
from edged.domain.errors import StoreError, StoreFault
from edged.domain.message import Message, MessageKind
from edged.domain.moment import Moment
from edged.store.outbox import FILE_NAME, Outbox

START = Moment(steady_ms=5_000_000, utc_ms=1_790_000_000_000)
JOB, EVENT, PRESENCE = MessageKind


def a_message(subject: str = "job-a", sequence: int = 1, **changes: object) -> Message:
    body = {
        "id": subject,
        "status": "IN_PROGRESS",
        "images": [],
        "edge": {"sequence": sequence, "updatedAt": START.utc_ms},
    }
    message = Message(
        kind=JOB,
        namespace="home",
        feed_id="door",
        subject_id=subject,
        sequence=sequence,
        is_final=False,
        body=json.dumps(body).encode(),
        at_ms=START.utc_ms,
    )
    return replace(message, **changes)


def a_route(sink: str, *kinds: MessageKind, namespaces: tuple[str, ...] = ()) -> Route:
    return Route(sink, frozenset(kinds or MessageKind), frozenset(namespaces))


@pytest.fixture
def an_outbox(tmp_path) -> Iterator[Callable[..., Outbox]]:
    """Outboxes of one folder, each a run of its own."""
    opened: list[Outbox] = []

    def make(
        *routes: Route | str, at: Moment = START, boot: str = "boot-1", folder: Path = tmp_path
    ) -> Outbox:
        for earlier in opened:
            earlier.close()
        outbox = Outbox(folder, [a_route(r) if isinstance(r, str) else r for r in routes])
        outbox.begin(at, boot)
        opened.append(outbox)
        return outbox

    yield make
    for outbox in opened:
        outbox.close()


def claimed(outbox: Outbox, sink: str = "s", limit: int = 100, at: Moment = START) -> list[tuple[str, int]]:
    return [(p.message.subject_id, p.message.sequence) for p in outbox.claim(sink, limit, at, 60)]


def deliver(outbox: Outbox, sink: str = "s", at: Moment = START) -> list[Message]:
    parcels = outbox.claim(sink, 100, at, 60)
    outbox.settle(sink, Settlement(delivered=tuple(p.id for p in parcels)), at)
    return [p.message for p in parcels]


def counters(outbox: Outbox, sink: str = "s") -> dict[str, int]:
    return next(s.counters for s in outbox.status(START).sinks if s.sink == sink)


def test_what_is_committed_comes_back_as_it_was_in_its_order(an_outbox):
    outbox = an_outbox("s")
    messages = [
        a_message("a", is_final=True),
        a_message("e", kind=EVENT, is_final=True, is_replay=True),
        a_message("door", kind=PRESENCE, body=b"\x00not json\xff"),
    ]
    outbox.commit(messages, START)
    assert deliver(outbox) == messages
    assert outbox.status(START).messages == 0


def test_a_message_is_kept_until_every_sink_that_wants_it_has_it(an_outbox):
    outbox = an_outbox("s", "t")
    outbox.commit([a_message()], START)
    deliver(outbox, "s")
    assert outbox.status(START).messages == 1
    deliver(outbox, "t")
    assert (outbox.status(START).messages, outbox.status(START).bytes) == (0, 0)


def test_sinks_are_told_only_the_kinds_and_namespaces_they_want(an_outbox):
    outbox = an_outbox(a_route("s", EVENT), a_route("t", JOB, namespaces=("work",)))
    outbox.commit([a_message(), a_message("e", kind=EVENT), a_message("w", namespace="work")], START)
    assert claimed(outbox, "s") == [("e", 1)]
    assert claimed(outbox, "t") == [("w", 1)]
    assert outbox.status(START).messages == outbox.messages() == 2


def test_a_waiting_update_is_replaced_by_the_next_and_the_final_one_replaces_it_too(an_outbox):
    outbox = an_outbox("s")
    outbox.commit([a_message("a", 1), a_message("b", 1), a_message("a", 2)], START)
    outbox.commit([a_message("a", 3, is_final=True)], START)
    assert claimed(outbox) == [("a", 3), ("b", 1)]
    assert counters(outbox) == {"replaced": 2}


def test_a_waiting_presence_is_replaced_by_the_next(an_outbox):
    outbox = an_outbox("s")
    outbox.commit([a_message("door", n, kind=PRESENCE) for n in (1, 2, 3)], START)
    assert claimed(outbox) == [("door", 3)]


def test_final_updates_events_and_replays_are_never_replaced(an_outbox):
    outbox = an_outbox("s")
    outbox.commit([a_message("a", 1, is_final=True), a_message("a", 2)], START)
    outbox.commit([a_message("r", n, is_replay=True) for n in (1, 2)], START)
    assert claimed(outbox) == [("a", 1), ("a", 2), ("r", 1), ("r", 2)]


def test_what_is_being_sent_is_not_replaced_and_its_successor_waits_for_it(an_outbox):
    outbox = an_outbox("s")
    outbox.commit([a_message("a", 1)], START)
    (parcel,) = outbox.claim("s", 10, START, 60)
    outbox.commit([a_message("a", 2)], START)
    outbox.commit([a_message("a", 3)], START)
    assert claimed(outbox) == []
    outbox.settle("s", Settlement(delivered=(parcel.id,)), START)
    assert claimed(outbox) == [("a", 3)]


def test_each_sink_has_its_own_progress_and_its_own_replacements(an_outbox):
    outbox = an_outbox("s", "t")
    outbox.commit([a_message("a", 1)], START)
    deliver(outbox, "s")
    outbox.commit([a_message("a", 2)], START)
    assert claimed(outbox, "s") == [("a", 2)]
    assert claimed(outbox, "t") == [("a", 2)]
    assert (counters(outbox, "s"), counters(outbox, "t")) == ({"sent": 1}, {"replaced": 1})


def test_a_lease_that_ran_out_is_claimed_again(an_outbox):
    outbox = an_outbox("s")
    outbox.commit([a_message()], START)
    assert claimed(outbox) == [("job-a", 1)]
    assert claimed(outbox, at=START.plus_ms(59_000)) == []
    assert claimed(outbox, at=START.plus_ms(60_000)) == [("job-a", 1)]


def test_a_new_run_ends_the_leases_and_waits_of_the_one_before(an_outbox):
    outbox = an_outbox("s")
    outbox.commit([a_message("a"), a_message("b")], START)
    first, second = outbox.claim("s", 10, START, 60)
    outbox.settle("s", Settlement(retried=(Retry(first.id, 3_600_000, counts=True, reason="500"),)), START)
    del second
    # The machine was started anew: its steady clock begins at nought.
    outbox = an_outbox("s", at=Moment(10, START.utc_ms), boot="boot-2")
    assert claimed(outbox, at=Moment(20, START.utc_ms)) == [("a", 1), ("b", 1)]


def test_a_message_that_is_to_be_tried_later_holds_up_only_its_own_subject(an_outbox):
    outbox = an_outbox("s")
    outbox.commit([a_message("a", n, is_final=True) for n in (1, 2)] + [a_message("b", is_final=True)], START)
    parcels = outbox.claim("s", 1, START, 60)
    outbox.settle("s", Settlement(retried=(Retry(parcels[0].id, 5000, counts=True, reason="500"),)), START)
    assert outbox.next_due_ms("s") == 0
    assert [m.subject_id for m in deliver(outbox)] == ["b"]
    assert outbox.next_due_ms("s") == 0
    assert claimed(outbox, at=START.plus_ms(4999)) == []
    assert claimed(outbox, at=START.plus_ms(5000)) == [("a", 1), ("a", 2)]


def test_attempts_count_only_where_they_should(an_outbox):
    outbox = an_outbox("s")
    outbox.commit([a_message()], START)
    for counts in (True, False, True):
        (parcel,) = outbox.claim("s", 1, START, 60)
        outbox.settle("s", Settlement(retried=(Retry(parcel.id, 0, counts, "why"),)), START)
    assert outbox.claim("s", 1, START, 60)[0].attempts == 2
    assert outbox.status(START).sinks[0].last_reason == "why"


def test_what_was_not_tried_waits_as_before(an_outbox):
    outbox = an_outbox("s")
    outbox.commit([a_message("a"), a_message("b")], START)
    parcels = outbox.claim("s", 2, START, 60)
    outbox.settle("s", Settlement(released=tuple(p.id for p in parcels)), START)
    assert claimed(outbox) == [("a", 1), ("b", 1)]


def test_dead_letters_are_listed_sent_again_and_dropped(an_outbox):
    outbox = an_outbox("s")
    outbox.commit([a_message(name, is_final=True) for name in "abc"], START)
    parcels = outbox.claim("s", 3, START, 60)
    outbox.settle("s", Settlement(buried=tuple((p.id, "410 Gone") for p in parcels)), START)
    letters = outbox.dead_letters()
    assert [(one.subject_id, one.reason, one.dead_ms) for one in letters] == [
        (name, "410 Gone", START.utc_ms) for name in "abc"
    ]
    assert claimed(outbox) == []
    assert outbox.next_due_ms("s") is None
    assert outbox.is_empty("s")
    assert outbox.resend(letters[0].id) == 1
    assert outbox.drop(letters[1].id)
    assert not outbox.drop(letters[1].id)
    assert not outbox.drop(letters[0].id)
    assert claimed(outbox) == [("a", 1)]
    assert outbox.resend() == 1
    assert claimed(outbox) == [("c", 1)]
    assert counters(outbox) == {"buried": 3, "resent": 2, "dropped": 1}


def test_a_dead_letter_does_not_hold_up_the_next_update_of_its_job(an_outbox):
    outbox = an_outbox("s")
    outbox.commit([a_message("a", 1)], START)
    (parcel,) = outbox.claim("s", 1, START, 60)
    outbox.settle("s", Settlement(buried=((parcel.id, "no"),)), START)
    outbox.commit([a_message("a", 2)], START)
    assert claimed(outbox) == [("a", 2)]


def test_an_open_job_of_a_run_that_died_gets_its_final_message(an_outbox):
    outbox = an_outbox("s")
    outbox.commit([a_message("a", 1), a_message("b", 1), a_message("b", 2, is_final=True)], START)
    deliver(outbox)
    outbox.commit([a_message("a", 2)], START)
    later = START.plus_ms(60_000)
    outbox = an_outbox("s", at=later)
    (told,) = outbox.close_orphans(later)
    assert outbox.close_orphans(later) == []
    (final,) = deliver(outbox)
    assert (told.subject_id, told.body) == (final.subject_id, final.body)
    assert (final.subject_id, final.sequence, final.is_final) == ("a", 3, True)
    job = json.loads(final.body)
    assert job["status"] == "COMPLETED_ALL_ERROR"
    assert job["edge"]["sequence"] == 3
    assert job["edge"]["updatedAt"] == later.utc_ms


def test_a_job_is_open_whether_a_sink_wants_it_or_not(an_outbox):
    outbox = an_outbox()
    outbox.commit([a_message()], START)
    assert (outbox.status(START).open_jobs, outbox.status(START).messages) == (1, 0)
    outbox = an_outbox("s")
    outbox.close_orphans(START)
    assert claimed(outbox) == [("job-a", 2)]


def test_an_open_job_that_is_no_job_is_forgotten_counted_and_told(an_outbox, caplog):
    outbox = an_outbox("s")
    outbox.commit([a_message("a", body=b"{}")], START)
    outbox.close_orphans(START)
    assert outbox.status(START).open_jobs == 0
    assert "open job a cannot be closed" in caplog.text


def test_a_sink_that_is_configured_no_more_loses_what_waits_counted_and_told(an_outbox, caplog):
    outbox = an_outbox("s", "old")
    outbox.commit([a_message("a"), a_message("b")], START)
    deliver(outbox, "s")
    outbox = an_outbox("s")
    assert outbox.status(START).messages == 0
    assert counters(outbox, "old") == {"sink_removed": 2}
    assert "2 messages for the sink `old` are dropped" in caplog.text


def test_a_new_sink_is_told_what_is_committed_from_now_on(an_outbox):
    an_outbox("s").commit([a_message("a")], START)
    outbox = an_outbox("s", "new")
    outbox.commit([a_message("b")], START)
    assert claimed(outbox, "new") == [("b", 1)]
    assert claimed(outbox, "s") == [("a", 1), ("b", 1)]


def test_the_device_keeps_its_id_and_runs_are_counted(an_outbox):
    ids = iter(["first", "second"])
    outbox = an_outbox()
    assert [outbox.device_id(lambda: next(ids)) for _ in range(2)] == ["first", "first"]
    assert outbox.next_run() == 1
    outbox = an_outbox()
    assert (outbox.device_id(lambda: next(ids)), outbox.next_run()) == ("first", 2)


def test_what_is_too_old_is_given_up_counted_and_told_dead_letters_among_it(an_outbox, caplog):
    outbox = an_outbox("s", "t")
    outbox.commit([a_message("a")], START)
    outbox.commit([a_message("b")], START.plus_ms(1000))
    (parcel,) = outbox.claim("t", 1, START, 1)
    outbox.settle("t", Settlement(buried=((parcel.id, "no"),)), START)
    assert not outbox.give_up(START.plus_ms(60_000), max_age_s=60, max_bytes=10**9)
    given_up = outbox.give_up(START.plus_ms(60_001), max_age_s=60, max_bytes=10**9)
    assert (given_up.too_old, given_up.too_much) == (2, 0)
    assert claimed(outbox, at=START.plus_ms(60_001)) == [("b", 1)]
    assert outbox.dead_letters() == []
    assert counters(outbox, "s") == {"given_up_age": 1}
    assert caplog.records[-1].levelno == logging.ERROR


def test_of_too_much_the_oldest_is_given_up(an_outbox):
    outbox = an_outbox("s")
    outbox.commit([a_message(f"j{n}", body=b"x" * 1000) for n in range(10)], START)
    assert outbox.give_up(START, max_age_s=60, max_bytes=3500).too_much == 7
    assert claimed(outbox) == [("j7", 1), ("j8", 1), ("j9", 1)]
    assert outbox.status(START).bytes == 3000
    assert counters(outbox) == {"given_up_bytes": 7}


def test_what_is_being_sent_is_not_given_up_meanwhile(an_outbox):
    outbox = an_outbox("s")
    outbox.commit([a_message("a", body=b"x" * 1000), a_message("b", body=b"x" * 1000)], START)
    outbox.claim("s", 1, START, 3600)
    outbox.give_up(START.plus_ms(120_000), max_age_s=60, max_bytes=10)
    status = outbox.status(START)
    assert (status.messages, status.bytes) == (1, 1000)


def test_a_jump_of_the_wall_clock_gives_nothing_up(an_outbox):
    outbox = an_outbox("s")
    outbox.commit([a_message()], Moment(1000, 5_000))
    assert not outbox.give_up(Moment(2000, START.utc_ms), max_age_s=60, max_bytes=10**9)
    (parcel,) = outbox.claim("s", 1, Moment(2000, START.utc_ms), 60)
    assert parcel.enqueued_steady_ms == 1000


def test_a_message_of_a_run_that_never_knew_the_time_counts_from_when_the_time_is_known(an_outbox):
    outbox = an_outbox("s", at=Moment(1000, 5_000))
    outbox.commit([a_message()], Moment(1000, 5_000))
    outbox = an_outbox("s", at=Moment(50, 9_000), boot="boot-2")
    assert not outbox.give_up(Moment(60, KNOWN_TIME_MS), max_age_s=60, max_bytes=10**9)
    assert not outbox.give_up(Moment(70, KNOWN_TIME_MS + 60_000), max_age_s=60, max_bytes=10**9)
    assert outbox.give_up(Moment(80, KNOWN_TIME_MS + 60_001), max_age_s=60, max_bytes=10**9)


def test_steady_times_are_kept_over_a_restart_of_the_daemon_and_forgotten_over_one_of_the_machine(an_outbox):
    an_outbox("s").commit([a_message()], START)
    (parcel,) = an_outbox("s").claim("s", 1, START, 1)
    assert parcel.enqueued_steady_ms == START.steady_ms
    (parcel,) = an_outbox("s", boot="boot-2").claim("s", 1, START, 1)
    assert parcel.enqueued_steady_ms is None
    an_outbox("s", boot="boot-2").commit([a_message("b")], START)
    parcels = an_outbox("s", boot="").claim("s", 2, START, 1)
    assert [p.enqueued_steady_ms for p in parcels] == [None, None]


def test_a_commit_is_all_or_nothing(an_outbox):
    outbox = an_outbox("s")
    wrong = a_message("b", sequence=0)
    with pytest.raises(sqlite3.IntegrityError):
        outbox.commit([a_message("a"), wrong], START)
    assert claimed(outbox) == []
    assert outbox.status(START).open_jobs == 0


def test_the_committer_writes_through_to_the_disk_and_a_lease_does_not(an_outbox):
    outbox = an_outbox("s")

    def synchronous(connection: sqlite3.Connection) -> int:
        return int(connection.execute("PRAGMA synchronous").fetchone()[0])

    full, normal = 2, 1
    assert outbox._file.take_in(synchronous) == full
    assert outbox._file.change(synchronous) == full
    assert outbox._file.change(synchronous, durable=False) == normal
    assert outbox._file.look(lambda c: c.execute("PRAGMA journal_mode").fetchone()) == ("wal",)


@pytest.fixture
def a_small_disk(tmp_path) -> Iterator[Path]:
    """A file system of 14 MB."""
    folder = tmp_path / "small"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=14m", "tmpfs", str(folder)]
    if subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("needs the right to mount a small file system")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(outbox: Outbox) -> StoreError:
    """Commit until the outbox takes no more."""
    for number in itertools.count():
        try:
            outbox.commit([a_message(f"j{number}", body=b"x" * 20_000, is_final=True)], START)
        except StoreError as error:
            return error
    raise AssertionError


def test_an_outbox_that_filled_its_disk_can_be_emptied_and_takes_in_again_when_there_is_room(
    an_outbox, a_small_disk
):
    outbox = an_outbox("s", folder=a_small_disk)
    assert fill(outbox).fault is StoreFault.FULL
    taken = outbox.status(START).messages
    assert taken > 100
    sent = []
    while messages := deliver(outbox):
        sent += messages
    assert len(sent) == taken
    outbox.commit([a_message("after")], START)
    assert claimed(outbox) == [("after", 1)]
    outbox.close()


def test_a_disk_that_others_filled_takes_in_nothing_and_still_lets_go(an_outbox, a_small_disk):
    outbox = an_outbox("s", folder=a_small_disk)
    outbox.commit([a_message(f"j{n}", body=b"x" * 20_000, is_final=True) for n in range(100)], START)
    ballast = a_small_disk / "somebody-elses"
    room = shutil.disk_usage(a_small_disk).free
    ballast.write_bytes(b"x" * room)
    assert fill(outbox).fault is StoreFault.FULL
    while deliver(outbox):
        continue
    ballast.unlink()
    outbox.commit([a_message("after")], START)
    assert claimed(outbox)[-1] == ("after", 1)
    outbox.close()


def test_a_file_that_is_no_database_is_moved_aside_and_a_new_one_takes_its_place(an_outbox, tmp_path, caplog):
    (tmp_path / FILE_NAME).write_bytes(b"this is a text file, not a database" * 100)
    outbox = an_outbox("s")
    outbox.commit([a_message()], START)
    assert claimed(outbox) == [("job-a", 1)]
    assert (tmp_path / f"{FILE_NAME}.corrupt-1").read_bytes().startswith(b"this is")
    assert f"{FILE_NAME}.corrupt-1" in caplog.text


def test_a_file_damaged_in_use_is_replaced_and_what_can_be_read_of_it_is_kept(an_outbox, tmp_path, caplog):
    outbox = an_outbox("s")
    device = outbox.device_id(lambda: "my-device")
    for number in range(400):
        outbox.commit([a_message(f"j{number}", body=b"x" * 700, is_final=True)], START)
    outbox.close()
    _destroy_a_leaf(tmp_path / FILE_NAME, holding=b"x" * 2000)
    outbox = an_outbox("s")
    outbox.commit([a_message("after")], START)
    assert outbox.device_id(lambda: "another") == device
    seen = claimed(outbox, limit=1000)
    assert 380 < len(seen) < 401
    assert ("after", 1) in seen
    assert "takes its place" in caplog.text


def _destroy_a_leaf(path: Path, holding: bytes) -> None:
    """Overwrite a page in the middle of a table's tree: one of those that hold so many of a byte."""
    page = 4096
    content = bytearray(path.read_bytes())
    table_leaf = 13
    leaves = [
        at
        for at in range(page, len(content), page)
        if content[at] == table_leaf and content[at : at + page].count(holding[:1]) > len(holding)
    ]
    middle = leaves[len(leaves) // 2]
    content[middle : middle + page] = b"\xff" * page
    path.write_bytes(content)


def test_a_closed_outbox_says_so(an_outbox):
    outbox = an_outbox("s")
    outbox.close()
    outbox.close()
    with pytest.raises(StoreError, match="was closed"):
        outbox.commit([a_message()], START)


def test_a_replay_has_the_number_of_the_one_before_unless_that_was_broken_off(tmp_path):
    outbox = Outbox(tmp_path)

    assert outbox.begin_replay() == 1
    outbox.end_replay()
    assert outbox.begin_replay() == 1, "the one before came to its end"
    assert outbox.begin_replay() == 2, "the one before did not"
    outbox.end_replay()
    assert outbox.begin_replay() == 2
    outbox.close()
