"""Forgetting somebody for good: in every file of the data folder, whatever is cut off in its middle."""

import itertools
import os
import signal
import subprocess
import sys

import msgspec
import pytest

from bench.checkout import ROOT
from builders.erasing import NAME, NOW, OTHER, Home
from builders.groups import a_grouped_track
from builders.namespaces import (
    HandClock,
    Ids,
    a_new_face,
    a_store,
    raw_bytes,
)
from edged.app.erasing import erase, follow_up, rehearse
from edged.delivery.route import Route
from edged.domain.event import Event, EventType
from edged.domain.hook import Hook
from edged.domain.job import Job
from edged.domain.message import Message, MessageKind
from edged.recognition.grouping import founded_id
from edged.settings.groups import Groups
from edged.store import outbox_erasing
from edged.store.archive import export_archive, import_archive
from edged.store.fsck import fsck
from edged.store.group_records import GroupRecords
from edged.store.group_store import GroupStore
from edged.store.history_store import HistoryStore
from edged.store.outbox import Outbox
from edged.store.outbox_erasing import Redaction
from edged.store.outbox_file import OutboxFile


@pytest.fixture
def home(tmp_path):
    made = Home(tmp_path / "data")
    yield made
    made.outbox.close()


def test_nothing_of_her_is_left_in_any_file_and_everything_of_him_is(home):
    for number in range(20):
        home.tell(number)
    home.bury()
    for number in range(20, 40):
        home.tell(number)
    home.tell(99, final=False)
    assert "name" in Home.traces(home)
    home.outbox = Outbox(home.folder, may_replace=False)

    receipt = home.erase()

    assert home.traces() == []
    assert home.is_his_all_there()
    assert [one.id for one in receipt.people] == [home.her]
    assert receipt.deleted == {
        "identities": 1,
        "enrolled faces": 2,
        "crops of enrolled faces": 2,
        "embeddings of enrolled faces": 2,
        "seen faces": 2,
        "crops of seen faces": 2,
        "embeddings of seen faces": 2,
        "pictures": 1,
        "objects of jobs": 2,
        "snapshots": 1,
    }
    assert receipt.messages["job messages"] == 41
    assert receipt.messages["event messages"] == 41
    assert receipt.messages["open jobs"] == 1
    assert receipt.warnings == ()
    assert fsck(home.folder / "namespaces" / "home.db") == []


def test_every_job_is_still_delivered_with_everybody_else_in_it(home):
    home.tell(1)
    home.erase()

    (_, job), (_, event), (_, presence) = home.sent()

    assert msgspec.convert(job, Job).is_final
    assert [one["identityId"] for image in job["images"] for one in image["objects"]] == [home.him]
    assert len(job["images"]) == 3
    assert event["type"] == "known"
    assert not {"identityId", "name", "confidence"} & event.keys()
    assert [one["name"] for one in presence["persons"]] == [OTHER]


def test_what_is_on_its_way_to_the_outbox_loses_her_as_it_comes(home):
    home.erase()

    home.tell(1)
    home.tell(2, final=False)

    assert all(home.her not in str(body) and NAME not in str(body) for _, body in home.sent())
    assert home.traces() == []


def test_webhooks_of_api_clients_are_not_told_of_her_either(home):
    hook = home.outbox.add_hook(
        Hook("h1", "http://kitchen.example/", None, "kitchen", ("home",), 1, is_registered=True)
    )
    home.tell(1)

    home.erase()

    ((_, job),) = home.sent(hook.sink_id)
    assert home.her not in str(job)


def test_a_kill_between_the_two_files_is_made_good_at_the_next_start_before_anything_is_sent(home):
    home.tell(1)
    home.tell(2, final=False)
    with a_store(home.folder) as store:
        store.remove([home.her])
    home.outbox.close()
    home.outbox = Outbox(home.folder, [Route("broker", frozenset(MessageKind), frozenset())])
    home.outbox.begin(NOW, "boot")

    follow_up(home.folder, home.outbox)

    assert all(home.her not in message.body.decode() for message in home.outbox.close_orphans(NOW))
    assert home.traces() == []


@pytest.mark.parametrize("steps", range(6))
def test_a_kill_after_any_step_is_made_good_by_the_next_erasure(home, steps):
    for number in range(3):
        home.tell(number)
    with a_store(home.folder) as store:
        store.remove([home.her])
    file = OutboxFile(home.folder / "outbox.db", may_replace=False)
    done = Redaction()
    work = [
        lambda c: outbox_erasing.watch_for(c, "home", [home.her]),
        lambda c: outbox_erasing.gather_tracks("home", [home.her], 0, done, c),
        lambda c: outbox_erasing.redact_some("home", [home.her], 0, done, c),
        lambda c: outbox_erasing.redact_some("home", [home.her], 4, done, c),
        lambda c: outbox_erasing.redact_open_jobs(c, "home", [home.her], done),
    ]
    for act in itertools.islice(work, steps):
        file.change(act)
    file.close()

    home.erase(home.him)

    assert home.traces() == []


def test_a_message_that_cannot_be_read_is_deleted_where_it_mentions_her(home):
    bodies = (f'no json, "{home.her}"', "no json")
    home.outbox.commit(
        [
            Message(MessageKind.JOB, "home", "door", f"job-{number}", 1, True, body.encode(), 1)
            for number, body in enumerate(bodies)
        ],
        NOW,
    )

    receipt = home.erase()

    assert receipt.messages == {"unreadable messages": 1}
    assert [one.message.body for one in home.outbox.claim("broker", 9, NOW, 60)] == [b"no json"]


def test_whoever_was_merged_into_her_is_forgotten_with_her(home):
    with a_store(home.folder, seed="more") as store:
        twin = store.add_identity("Zuza Quixwold", [a_new_face(4)]).id
    event = Event(
        id="e",
        type=EventType.KNOWN,
        namespace="home",
        feed_id="door",
        device="porch",
        job_id="j",
        track_id="t",
        identity_id=twin,
        name="Zuza Quixwold",
        at=1,
        age_ms=0,
    )
    body = msgspec.json.encode(event)
    home.outbox.commit([Message(MessageKind.EVENT, "home", "door", "e", 1, True, body, 1)], NOW)
    with a_store(home.folder) as store:
        HistoryStore(store).merge(home.her, [twin])
        home.erase()

    ((_, told),) = home.sent()
    assert "name" not in told
    assert b"Zuza" not in raw_bytes(home.folder)


def test_somebody_who_is_imported_again_is_told_of_again(home, tmp_path):
    with a_store(home.folder) as store:
        people = [store.get(home.her)]
        export_archive(store, people, tmp_path / "her.zip", namespace="home", utc_ms=1, may_replace=False)
    home.erase()
    with a_store(home.folder) as store:
        import_archive(store, tmp_path / "her.zip")
    follow_up(home.folder, home.outbox)

    home.tell(1)

    assert any(home.her in str(body) for _, body in home.sent())


def test_the_tracks_of_a_named_group_go_with_the_person(home):
    records = GroupRecords(home.folder, ["home"], Groups(), HandClock(), Ids("daemon"))
    news = a_grouped_track(1, 7, chips=True)
    records.record([("home", news)])
    records.close()
    with a_store(home.folder, seed="named") as store:
        groups = GroupStore(store)
        group = groups.find(founded_id(news.track_id, ()))
        numbers = [face.number for face in groups.faces_of(group)]
        person = groups.enrol(group, numbers[:1], name="Named Later")

    receipt = home.erase(person.id)

    assert receipt.deleted["enrolled faces"] == 1
    assert b"Named Later" not in raw_bytes(home.folder)


def test_a_rehearsal_says_what_would_be_done_and_changes_nothing(home):
    home.tell(1)
    home.outbox.close()
    before = sorted((path.name, path.stat().st_size) for path in home.folder.rglob("*.db"))
    home.outbox = Outbox(home.folder, may_replace=False)

    with a_store(home.folder) as store:
        receipt = rehearse(store, "home", [home.her], home.outbox)
        ledger = store.ledger
        assert store.get(home.her).name == NAME

    assert receipt.is_rehearsal
    assert receipt.deleted["enrolled faces"] == 2
    assert receipt.deleted["objects of jobs"] == 2
    assert receipt.messages == {"event messages": 1, "job messages": 1, "presence messages": 1}
    with a_store(home.folder) as store:
        assert store.ledger == ledger
    assert sorted((path.name, path.stat().st_size) for path in home.folder.rglob("*.db")) == before
    assert home.erase().deleted == receipt.deleted


def test_an_outbox_that_cannot_be_written_keeps_nobody_in_the_namespace(home):
    home.tell(1)
    home.outbox.close()

    receipt = home.erase()

    assert any("messages that wait may still name them" in words for words in receipt.warnings)
    with a_store(home.folder) as store:
        assert [one.id for one in store.identities()] == [home.him]
    home.outbox = Outbox(home.folder, may_replace=False)
    follow_up(home.folder, home.outbox)
    assert home.traces() == []


def test_damaged_copies_are_named(home):
    (home.folder / "namespaces" / "home.db.corrupt-20240101T000000Z").write_bytes(b"")
    (home.folder / "outbox.db.corrupt-1").write_bytes(b"")

    warnings = home.erase().warnings

    assert len(warnings) == 2
    assert all("delete it" in words for words in warnings)


def test_a_file_that_another_took_the_place_of_is_followed_from_its_beginning(home):
    home.erase()
    other = OutboxFile(home.folder / "outbox.db", may_replace=False)
    other.change(lambda connection: outbox_erasing.set_followed(connection, "home", 4000))
    other.close()
    home.tell(1)
    with a_store(home.folder) as store:
        erase(store, "home", [home.him], home.outbox)

    assert all(OTHER not in str(body) for _, body in home.sent())
    assert home.outbox.followed("home") < 4000


def test_whoever_is_in_another_namespace_under_the_same_id_is_told_of_there_as_ever(home, tmp_path):
    with a_store(home.folder) as store:
        people = [store.get(home.her)]
        export_archive(store, people, tmp_path / "her.zip", namespace="home", utc_ms=1, may_replace=False)
    with a_store(home.folder, namespace="office") as office:
        import_archive(office, tmp_path / "her.zip")
    home.tell(1)
    home.tell(2, namespace="office")

    receipt = home.erase()
    home.tell(3, namespace="office")
    home.tell(4)

    said = [home.her in str(body) for kind, body in home.sent() if kind is MessageKind.JOB]
    assert said == [False, True, True, False]
    assert receipt.messages["job messages"] == 1


def test_what_an_older_copy_of_a_namespace_removes_is_followed_though_its_revisions_were_seen_before(home):
    other = OutboxFile(home.folder / "outbox.db", may_replace=False)
    other.change(lambda connection: outbox_erasing.set_followed(connection, "home", 5))
    other.close()
    follow_up(home.folder, home.outbox)
    home.tell(1)
    with a_store(home.folder) as store:
        store.remove([home.her])
        for number in range(5):
            store.rename(home.him, f"{OTHER} {number}")

    follow_up(home.folder, home.outbox)

    assert all(home.her not in str(body) for _, body in home.sent())


def test_no_file_that_is_no_namespace_keeps_the_daemon_from_its_start_nor_is_touched(home):
    folder = home.folder / "namespaces"
    copy = folder / "home (copy).db"
    copy.write_bytes(b"")
    cut = folder / "office.db"
    cut.write_bytes(b"")
    with a_store(home.folder) as store:
        store.remove([home.her])

    follow_up(home.folder, home.outbox)

    assert home.outbox.followed("home") > 0
    assert copy.read_bytes() == cut.read_bytes() == b""


@pytest.mark.parametrize("steps", [0, 5, 9])
def test_a_process_killed_in_the_middle_leaves_all_or_nothing_to_the_next_start(home, steps):
    for number in range(150):
        home.tell(number)
    home.outbox.close()
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(home.folder), home.her, str(steps)],
        timeout=60,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT / "tests")},
    )
    assert killed.returncode in (0, -signal.SIGKILL)
    home.outbox = Outbox(home.folder, may_replace=False)

    follow_up(home.folder, home.outbox)

    with a_store(home.folder) as store:
        is_enrolled = any(one.id == home.her for one in store.identities())
    assert is_enrolled == (steps == 0)
    if is_enrolled:
        assert home.outbox.mentions_of("home", [home.her]).mentioning == 301
        home.erase()
    assert home.traces() == []


KILLED = """
import os, signal, sys
from pathlib import Path
from builders.namespaces import a_store
from edged.app.erasing import erase
from edged.store.outbox import Outbox

folder, who, steps = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
outbox = Outbox(folder, may_replace=False)

def count(statement):
    # Each commit, of a reader too, is a step: it is killed before the one that is too many.
    global steps
    if statement == "COMMIT":
        if steps == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        steps -= 1

with a_store(folder) as store:
    store.connection.set_trace_callback(count)
    outbox._file._opened().set_trace_callback(count)
    erase(store, "home", [who], outbox)
"""
