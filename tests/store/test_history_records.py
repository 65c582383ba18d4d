"""The history of the daemon: what it writes down, what it closes after its death, what retention deletes."""

import os
import random
import signal
import subprocess
import sys

import msgspec
import pytest

from builders.history import a_face_id, a_job_id, a_seen_face, an_entry, an_image_id
from builders.namespaces import MODEL, HandClock, Ids, a_new_face
from edged.api.requests import Search
from edged.domain.history import HistoryEntry, JobPicture
from edged.domain.job import ImageStatus, Job, JobStatus
from edged.settings.history import FaceHistory, History, JobHistory, PictureHistory
from edged.settings.quantities import Duration, Size
from edged.store.fsck import fsck
from edged.store.history_records import HistoryRecords
from edged.store.history_store import HistoryStore
from edged.store.namespace_files import namespace_path
from edged.store.namespace_store import NamespaceStore


class Home:
    """A namespace as the daemon writes it and as the API reads it, each with a connection of its own."""

    def __init__(self, data_dir, settings=None):
        self.clock = HandClock()
        self.path = namespace_path(data_dir, "home")
        self.records = HistoryRecords(data_dir, ["home"], settings or History(), self.clock, Ids("daemon"))

    def tell(self, *entries):
        self.records.record([("home", one) for one in entries])

    def sweep(self):
        steps = 1
        while self.records.sweep():
            steps += 1
        return steps

    def read(self, ask):
        with NamespaceStore.open(self.path, self.clock, Ids("reader")) as store:
            return ask(HistoryStore(store))

    def job(self, number):
        body = self.read(lambda history: history.job(a_job_id(number)))
        return body and msgspec.json.decode(body, type=Job)


@pytest.fixture
def make(tmp_path):
    made = []

    def home(settings=None):
        made.append(Home(tmp_path / "data", settings))
        return made[-1]

    yield home
    for one in made:
        one.records.close()
        if one.path.exists():
            assert fsck(one.path) == []


def test_jobs_that_a_dead_daemon_left_open_are_closed(make):
    home = make()
    begun = {"status": JobStatus.IN_PROGRESS, "sequence": 4}
    home.tell(
        an_entry(1, [a_seen_face(1)], **begun),
        an_entry(2, **begun),
        an_entry(3, origin="api", feed_id=None, **begun),
        an_entry(4),
    )
    home.clock.ms = 9000

    home.records.begin()

    partial, nothing, asked, whole = (home.job(number) for number in (1, 2, 3, 4))
    assert (partial.status, partial.edge.sequence) == (JobStatus.COMPLETED_PARTIAL_ERROR, 5)
    assert {image.status for image in partial.images} == {ImageStatus.JOB_ERROR}
    assert nothing.status is asked.status is JobStatus.COMPLETED_ALL_ERROR
    assert whole.status is JobStatus.COMPLETED_SUCCESSFULLY
    assert whole.edge.sequence == 1


def test_an_open_job_that_cannot_be_read_is_deleted(make, caplog):
    home = make()
    home.tell(an_entry(1, status=JobStatus.IN_PROGRESS))
    home.read(lambda history: history.people.connection.execute("UPDATE job SET body = x'5B5D'"))

    home.records.begin()

    assert home.job(1) is None
    assert a_job_id(1) in caplog.text


def test_where_nothing_was_told_there_is_nothing_to_do(make):
    home = make()

    home.records.begin()

    assert home.sweep() == 1
    assert not home.path.exists()


def test_after_a_start_tracks_of_the_removed_may_be_told_of_again(make):
    home = make()
    ada = home.read(lambda history: history.people.add_identity("Ada", [a_new_face(9)]))
    home.tell(an_entry(1, [a_seen_face(1, identity_id=ada.id)]))
    home.read(lambda history: history.people.remove([ada.id]))

    home.records.begin()
    home.tell(an_entry(1, [a_seen_face(1)], sequence=2))

    assert home.read(lambda history: history.face(a_face_id(1))) is not None


def test_another_file_in_its_place_is_taken_up(make):
    home = make()
    home.tell(an_entry(1))
    for suffix in ("", "-wal", "-shm"):
        home.path.with_name(home.path.name + suffix).unlink(missing_ok=True)

    home.tell(an_entry(2))

    assert home.job(1) is None
    assert home.job(2) is not None


class TestRetention:
    def test_the_oldest_jobs_and_faces_make_room(self, make):
        home = make(History(jobs=JobHistory(most=40), faces=FaceHistory(most=30)))
        for number in range(70):
            home.clock.ms = number
            home.tell(an_entry(number, [a_seen_face(number, chip=False)], at_ms=-number))

        assert home.sweep() > 1, "it is done in steps"

        jobs = home.read(lambda history: [history.job(a_job_id(n)) is not None for n in range(70)])
        faces = home.read(lambda history: [history.face(a_face_id(n)) is not None for n in range(70)])
        assert jobs == [n >= 30 for n in range(70)]
        assert faces == [n >= 40 for n in range(70)]

    def test_each_kind_grows_old_by_itself_and_by_the_daemons_clock(self, make):
        home = make(
            History(
                jobs=JobHistory(max_age=Duration(300)),
                faces=FaceHistory(max_age=Duration(200)),
                pictures=PictureHistory(keep=True, max_age=Duration(100)),
            )
        )
        home.tell(an_entry(1, [a_seen_face(1, at_ms=-(10**12))], pictures=True, at_ms=-(10**12)))

        def there():
            home.sweep()
            return home.read(
                lambda history: (
                    history.picture(an_image_id(1)) is not None,
                    history.face(a_face_id(1)) is not None,
                    history.job(a_job_id(1)) is not None,
                )
            )

        seen = []
        for ms in (100_000, 100_001, 200_001, 300_001):
            home.clock.ms = ms
            seen.append(there())
        assert seen == [(True, True, True), (False, True, True), (False, False, True), (False, False, False)]

    def test_pictures_make_room_by_their_bytes(self, make):
        home = make(History(pictures=PictureHistory(keep=True, max_bytes=Size(1_000_000))))
        for number in range(12):
            face = a_seen_face(number, chip=False)
            picture = JobPicture(face.image_id, bytes(150_000), face.created_ms)
            telling = an_entry(number, [face])
            home.clock.ms = number
            home.tell(HistoryEntry(telling.job, telling.faces, (picture,)))

        home.sweep()

        kept = home.read(lambda history: [history.picture(an_image_id(n)) is not None for n in range(12)])
        assert kept == [n >= 6 for n in range(12)]

    def test_a_picture_goes_with_its_job(self, make):
        home = make(History(jobs=JobHistory(max_age=Duration(60)), pictures=PictureHistory(keep=True)))
        home.tell(an_entry(1, [a_seen_face(1)], pictures=True))
        home.clock.ms = 60_001

        home.sweep()

        assert home.read(lambda history: history.picture(an_image_id(1))) is None

    def test_enrolled_faces_stay_and_begin_anew_when_they_are_taken_out(self, make):
        home = make(History(faces=FaceHistory(max_age=Duration(60))))
        home.tell(an_entry(1, [a_seen_face(1), a_seen_face(2)]))
        ada = home.read(
            lambda history: history.enrol_seen([a_face_id(1), a_face_id(2)], "Ada", model_hash=MODEL)
        )
        home.clock.ms = 100_000
        home.sweep()
        assert home.read(lambda history: len(history.faces(Search()))) == 2

        home.read(lambda history: history.change_identity(ada.id, remove=[a_face_id(2)], model_hash=MODEL))
        home.sweep()
        assert home.read(lambda history: len(history.faces(Search()))) == 2
        home.clock.ms = 160_001
        home.sweep()

        (kept,) = home.read(lambda history: history.faces(Search()))
        assert (kept.id, kept.box is not None) == (a_face_id(1), True)


_WRITING = """
import itertools, sys
from pathlib import Path
from builders.history import a_seen_face, an_entry
from builders.namespaces import HandClock, Ids
from edged.settings.history import History
from edged.store.history_records import HistoryRecords
records = HistoryRecords(Path(sys.argv[1]), ["home"], History(), HandClock(), Ids())
for n in itertools.count(int(sys.argv[2])):
    records.record([("home", an_entry(n, [a_seen_face(n)], pictures=True))])
    print(n, flush=True)
"""


def test_a_writer_killed_at_any_moment_leaves_all_it_had_promised_and_nothing_by_half(make, tmp_path):
    home = make()
    chance = random.Random(4)
    promised = []
    for turn in range(3):
        with subprocess.Popen(
            [sys.executable, "-c", _WRITING, str(tmp_path / "data"), str(1000 * turn)],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        ) as process:
            assert process.stdout
            lines = [process.stdout.readline() for _ in range(chance.randrange(1, 30))]
            process.send_signal(signal.SIGKILL)
            lines += [line for line in process.stdout if line.endswith("\n")]
        promised += [int(line) for line in lines]

    for number in promised:
        assert home.job(number) is not None
        assert home.read(lambda history, n=number: history.face(a_face_id(n))).has_chip
        assert home.read(lambda history, n=number: history.picture(an_image_id(n))) is not None
