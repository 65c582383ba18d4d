"""Limits in age, number and bytes, kept by steps; also after a clock was set and of features that are off."""

import shutil

import pytest

from builders.groups import a_grouped_track
from builders.history import a_seen_face, an_entry
from builders.namespaces import START_UTC_MS, HandClock, Ids, a_new_face, a_store, raw_bytes
from edged.domain.moment import Moment
from edged.settings.groups import Groups
from edged.settings.history import FaceHistory, History, JobHistory, PictureHistory
from edged.settings.privacy import Chips
from edged.settings.quantities import Duration, Size
from edged.store.api_store import ApiStore, StoredToken
from edged.store.database import open_database
from edged.store.fsck import fsck
from edged.store.group_records import GroupRecords
from edged.store.history_records import HistoryRecords
from edged.store.history_store import HistoryStore
from edged.store.namespace_files import NAMESPACE_SCHEMA, namespace_path
from edged.store.retention import Tally, give_back
from edged.store.sweeper import Limits, Others, Sweeper

DAY_MS = 86_400_000


class SetClock(HandClock):
    """A clock that somebody sets."""

    def __init__(self, utc_ms: int = START_UTC_MS) -> None:
        super().__init__()
        self.begun_ms = utc_ms

    def moment(self) -> Moment:
        return Moment(steady_ms=self.ms, utc_ms=self.begun_ms + self.ms)


class House:
    """A data folder that a cleaner looks after."""

    def __init__(self, data_dir, clock=None):
        self.data_dir = data_dir
        self.clock = clock or SetClock()
        self.path = namespace_path(data_dir, "home")
        self.tally = Tally()

    def sweeper(self, *, history=None, groups=None, chips=None, others=None):
        limits = Limits(history or History(), groups or Groups(), chips or Chips())
        return Sweeper(self.data_dir, limits, others or Others(), self.clock, self.tally)

    def tell(self, *entries, chunks=1):
        records = HistoryRecords(self.data_dir, ["home"], History(), self.clock, Ids("daemon"))
        for _ in range(chunks):
            records.record([("home", one) for one in entries])
        records.close()

    def ask(self, sql):
        connection = open_database(self.path, NAMESPACE_SCHEMA)
        try:
            return connection.execute(sql).fetchone()[0]
        finally:
            connection.close()


@pytest.fixture
def house(tmp_path):
    made = House(tmp_path / "data")
    yield made
    if made.path.exists():
        assert fsck(made.path) == []


def taken(house):
    return {kind: number for kind, number in house.tally.taken.items() if number}


def to_the_end(sweeper):
    steps = 1
    while sweeper.step():
        steps += 1
        assert steps < 500
    return steps


class TestChips:
    def enrol(self, house, faces=5):
        with a_store(house.data_dir) as store:
            return store.add_identity("Ada", [a_new_face(one, chip=True) for one in range(faces)])

    def test_kept_by_default_for_as_long_as_the_face(self, house):
        self.enrol(house)
        house.clock.ms = 4000 * DAY_MS

        to_the_end(house.sweeper())

        assert house.ask("SELECT count(*) FROM chip") == 5

    def test_deleted_for_good_where_they_are_not_to_be_kept_and_the_person_stays_known(self, house):
        self.enrol(house, 30)
        png = house.ask("SELECT png FROM chip ORDER BY face DESC")

        steps = to_the_end(house.sweeper(chips=Chips(keep=False)))

        assert steps == 2
        assert house.ask("SELECT count(*) FROM chip") == 0
        assert house.ask("SELECT count(*) FROM embedding") == 30
        assert taken(house) == {"chip": 30}
        assert png[1000:1400] not in raw_bytes(house.path.parent / "home.db") + raw_bytes(house.data_dir)

    def test_a_face_that_nobody_embedded_keeps_its_crop(self, house):
        self.enrol(house)
        with a_store(house.data_dir) as store:
            store.connection.execute("DELETE FROM embedding WHERE face = 1")

        to_the_end(house.sweeper(chips=Chips(keep=False)))

        assert house.ask("SELECT face FROM chip") == 1

    def test_a_limit_in_age(self, house):
        self.enrol(house)
        sweeper = house.sweeper(chips=Chips(max_age=Duration(86400)))
        house.clock.ms = DAY_MS
        to_the_end(sweeper)
        assert house.ask("SELECT count(*) FROM chip") == 5

        house.clock.ms += 1
        to_the_end(sweeper)

        assert house.ask("SELECT count(*) FROM chip") == 0

    def test_a_limit_in_bytes_takes_the_oldest(self, house):
        self.enrol(house, 20)

        to_the_end(house.sweeper(chips=Chips(max_bytes=Size(1_000_000))))

        left = house.ask("SELECT chips FROM kept_bytes")
        assert 900_000 < left <= 1_000_000
        assert left == house.ask("SELECT sum(length(png)) FROM chip")
        assert house.ask("SELECT max(face) FROM chip") == 20


class TestHistory:
    def test_what_is_left_of_a_feature_that_was_switched_off_ages_out(self, house):
        faces = [a_seen_face(one) for one in range(3)]
        house.tell(an_entry(1, faces, pictures=True))
        sweeper = house.sweeper(history=History(pictures=PictureHistory(keep=False)))
        to_the_end(sweeper)
        assert house.ask("SELECT count(*) FROM picture") == 3

        house.clock.ms = 31 * DAY_MS
        to_the_end(sweeper)

        for table in ("job", "seen_face", "seen_chip", "seen_embedding", "picture", "job_track"):
            assert house.ask(f"SELECT count(*) FROM {table}") == 0
        assert taken(house) == {"job": 1, "seen_face": 3, "picture": 3}

    def test_each_kind_has_a_limit_in_bytes(self, house):
        for number in range(30):
            house.tell(an_entry(number, [a_seen_face(number)]))
        bytes_before = house.ask("SELECT seen_chips FROM kept_bytes")
        assert bytes_before == house.ask("SELECT sum(length(png)) FROM seen_chip")
        assert house.ask("SELECT jobs FROM kept_bytes") == house.ask("SELECT sum(length(body)) FROM job")
        limits = History(
            faces=FaceHistory(max_bytes=Size(1_000_000)), jobs=JobHistory(max_bytes=Size(1_000_000))
        )

        to_the_end(house.sweeper(history=limits))

        assert house.ask("SELECT seen_chips FROM kept_bytes") <= 1_000_000
        assert 13 < house.ask("SELECT count(*) FROM seen_face") < 17
        assert house.ask("SELECT count(*) FROM job") == 30

    def test_jobs_make_room_for_bytes_of_jobs(self, house):
        many = [a_seen_face(one, image_id=f"image-{one}", chip=False) for one in range(400)]
        for number in range(12):
            house.tell(an_entry(number, many if number % 2 else many[:200]))
        before = house.ask("SELECT count(*) FROM job")

        to_the_end(house.sweeper(history=History(jobs=JobHistory(max_bytes=Size(1_000_000)))))

        assert house.ask("SELECT jobs FROM kept_bytes") <= 1_000_000
        assert 0 < house.ask("SELECT count(*) FROM job") < before

    def test_what_the_historian_looks_after_is_left_to_it(self, house):
        house.tell(an_entry(1, [a_seen_face(1)]))
        house.clock.ms = 40 * DAY_MS

        to_the_end(house.sweeper(others=Others(history=["home"])))

        assert house.ask("SELECT count(*) FROM job") == 1


class TestClocks:
    def count(self, house):
        return house.ask("SELECT count(*) FROM job"), house.ask("SELECT count(*) FROM seen_face")

    def test_what_was_written_before_the_clock_was_set_gets_its_whole_time(self, house):
        house.clock = SetClock(utc_ms=START_UTC_MS - 60 * DAY_MS)
        records = HistoryRecords(house.data_dir, ["home"], History(), house.clock, Ids("daemon"))
        records.record([("home", an_entry(1, [a_seen_face(1)]))])
        house.clock.ms = 20_000
        house.clock.begun_ms = START_UTC_MS

        while records.sweep():
            pass
        assert self.count(house) == (1, 1)
        house.clock.ms = 7 * DAY_MS - 1000
        while records.sweep():
            pass
        assert self.count(house) == (1, 1)
        house.clock.ms = 7 * DAY_MS + 1000
        while records.sweep():
            pass
        assert self.count(house) == (1, 0)
        records.close()

    def test_what_an_earlier_run_wrote_without_knowing_the_time_ages_from_now_on(self, house):
        house.clock = SetClock(utc_ms=1000)
        house.tell(an_entry(1, [a_seen_face(1)]))
        to_the_end(house.sweeper())
        assert self.count(house) == (1, 1)

        house.clock = SetClock()
        sweeper = house.sweeper()
        to_the_end(sweeper)
        assert self.count(house) == (1, 1)
        house.clock.ms = 8 * DAY_MS
        to_the_end(sweeper)

        assert self.count(house) == (1, 0)

    def test_what_a_clock_that_ran_ahead_wrote_is_not_kept_for_ever(self, house):
        house.clock = SetClock(utc_ms=START_UTC_MS + 4000 * DAY_MS)
        house.tell(an_entry(1, [a_seen_face(1)]))
        house.clock = SetClock()
        sweeper = house.sweeper()
        house.clock.ms = 2 * 3_600_000
        to_the_end(sweeper)
        assert house.ask("SELECT kept_ms FROM job") == START_UTC_MS + 2 * 3_600_000

        house.clock.ms = 32 * DAY_MS
        to_the_end(sweeper)

        assert self.count(house) == (0, 0)

    def test_nor_is_a_crop_of_somebody_whom_it_enrolled(self, house):
        with a_store(house.data_dir) as store:
            store.add_identity("Ada", [a_new_face(1, chip=True)])
            store.connection.execute("UPDATE face SET created_ms = ?", (START_UTC_MS + 4000 * DAY_MS,))
        sweeper = house.sweeper(chips=Chips(max_age=Duration(86400)))
        for hours, left in ((0, 1), (2, 1), (25, 1), (27, 0)):
            house.clock.ms = hours * 3_600_000
            to_the_end(sweeper)

            assert house.ask("SELECT count(*) FROM chip") == left

    def test_nothing_is_too_old_while_nobody_knows_the_time(self, house):
        house.tell(an_entry(1, [a_seen_face(1)]))
        house.clock = SetClock(utc_ms=5)
        sweeper = house.sweeper()
        house.clock.ms = 4000 * DAY_MS // 1000

        to_the_end(sweeper)

        assert self.count(house) == (1, 1)


class TestGroups:
    def grouped(self, house, number):
        records = GroupRecords(house.data_dir, ["home"], Groups(), house.clock, Ids("daemon"))
        for one in range(number):
            records.record([("home", a_grouped_track(one, one, chips=True))])
        records.close()
        return house.ask("SELECT count(*) FROM unknown_group")

    def test_a_limit_in_bytes_takes_those_unseen_for_longest(self, house):
        before = self.grouped(house, 30)
        kept = house.ask("SELECT group_chips FROM kept_bytes")
        assert kept == house.ask("SELECT sum(length(png)) FROM group_chip")
        assert kept > 1_000_000

        to_the_end(house.sweeper(groups=Groups(max_bytes=Size(1_000_000))))

        assert house.ask("SELECT group_chips FROM kept_bytes") <= 1_000_000
        assert 0 < house.ask("SELECT count(*) FROM unknown_group") < before

    def test_where_groups_are_off_those_of_a_namespace_without_a_feed_go_too(self, house):
        self.grouped(house, 9)

        to_the_end(house.sweeper(groups=Groups(enabled=False)))

        assert house.ask("SELECT count(*) FROM unknown_group") == 0


def test_the_space_is_given_back_to_the_disk_a_few_pages_at_a_time(house):
    with a_store(house.data_dir) as store:
        store.add_identity("Ada", [a_new_face(one, chip=True) for one in range(100)])
    size_before = house.path.stat().st_size

    sweeper = house.sweeper(chips=Chips(keep=False))
    to_the_end(sweeper)

    house.ask("SELECT 1")
    assert size_before > 6_000_000
    assert house.path.stat().st_size < size_before / 1.2
    connection = open_database(house.path, NAMESPACE_SCHEMA)
    assert not give_back(connection)
    connection.close()


def test_a_damaged_namespace_does_not_keep_the_others_from_being_looked_after(house):
    with a_store(house.data_dir) as store:
        store.add_identity("Ada", [a_new_face(1, chip=True)])
    bad = namespace_path(house.data_dir, "aaa")
    bad.write_bytes(b"this is no database" * 300)

    with pytest.raises(Exception, match="damaged"):
        house.sweeper(chips=Chips(keep=False)).step()

    assert house.ask("SELECT count(*) FROM chip") == 0
    assert bad.read_bytes().startswith(b"this is no database")


def test_nothing_is_made_or_held_up_where_there_is_no_namespace(house):
    with a_store(house.data_dir) as store:
        store.add_identity("Ada", [a_new_face(1, chip=True)])
    others = [house.path.with_name(name) for name in ("aaa.db", "a copy of home.db", "device.db")]
    for other in others:
        other.write_bytes(b"")

    house.sweeper(chips=Chips(keep=False)).step()

    assert house.ask("SELECT count(*) FROM chip") == 0
    assert {other.read_bytes() for other in others} == {b""}


def test_what_an_api_that_is_off_has_left_goes(house):
    store = ApiStore(house.data_dir)
    store.add_token(StoredToken(b"d" * 32, "kitchen", "f", START_UTC_MS, START_UTC_MS + 1000))
    store.close()
    house.clock.ms = 1001

    to_the_end(house.sweeper())

    left = ApiStore(house.data_dir)
    assert left.tokens("kitchen") == []
    left.close()
    shutil.rmtree(house.data_dir)
    to_the_end(house.sweeper())
    assert not (house.data_dir / "api.db").exists()


def test_a_removal_reaches_what_the_history_of_a_switched_off_api_left(house):
    with a_store(house.data_dir) as store:
        ada = store.add_identity("Ada", [a_new_face(1)])
    house.tell(an_entry(1, [a_seen_face(1, identity_id=ada.id)], pictures=True))

    with a_store(house.data_dir) as store:
        removal = store.remove([ada.id])
        assert HistoryStore(store).job(an_entry(1).job.id) is not None

    assert removal.deleted["pictures"] == removal.deleted["seen faces"] == 1
    assert removal.deleted["objects of jobs"] == 1
