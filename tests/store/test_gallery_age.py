"""With `when_old: stop`, nobody is recognised whose authority was silent for too long."""

import logging
from contextlib import contextmanager

import pytest

from builders.gallery_watches import watching
from builders.namespaces import START_UTC_MS, HandClock, a_new_face, a_store
from builders.patience import eventually
from builders.syncs import an_epoch
from edged.domain.moment import Moment
from edged.pipeline.galleries import Galleries
from edged.replication.ageing import PATIENCE_MS
from edged.store.database import transaction
from edged.store.gallery_age import OldTruth
from edged.store.namespace_files import namespace_path

DAY = 86_400_000
STOP = OldTruth(DAY, is_withheld=True)
FLAG = OldTruth(DAY, is_withheld=False)


class SetClock(HandClock):
    """A hand-moved clock whose wall half can be set."""

    def __init__(self, ahead_ms: int = 0) -> None:
        super().__init__()
        self.ahead_ms = ahead_ms

    def moment(self) -> Moment:
        return Moment(steady_ms=self.ms, utc_ms=START_UTC_MS + self.ms + self.ahead_ms)


@pytest.fixture
def make(tmp_path):
    def with_role(role):
        with a_store(tmp_path) as store:
            store.add_identity("Ada", [a_new_face(1)])
            an_epoch(store, role=role)
        return tmp_path

    return with_role


@contextmanager
def ageing(data_dir, old, clock):
    galleries = Galleries()
    with watching(data_dir, galleries, clock=clock, old=old, poll_s=0.02) as watch:
        yield watch, galleries


def people(galleries):
    return len(galleries.current("home"))


def heard(data_dir, at_ms):
    with a_store(data_dir, seed="heard") as store, transaction(store.connection):
        store.connection.execute("UPDATE sync_epoch SET alive_ms = ?", (at_ms,))


def test_they_are_withheld_and_given_back_when_the_authority_is_heard(make, caplog):
    data_dir, clock = make("member"), SetClock()
    with caplog.at_level(logging.INFO), ageing(data_dir, STOP, clock) as (watch, galleries):
        assert people(galleries) == 1
        revision = galleries.revision("home")

        clock.ms += DAY + 1000
        eventually(lambda: people(galleries) == 0)
        assert watch.withheld() == {"home"}
        assert watch.remarks() == [
            "namespace home: nothing was heard of the authority for 24 h; nobody is recognised any more"
        ]
        assert galleries.revision("home") == revision, "who waits for a revision is not left waiting"

        heard(data_dir, START_UTC_MS + clock.ms)
        eventually(lambda: people(galleries) == 1)
        assert (watch.withheld(), watch.remarks()) == (frozenset(), [])
    told = [
        record.message
        for record in caplog.records
        if "heard of" in record.message or "not old" in record.message
    ]
    assert len(told) == 2


def test_whoever_is_enrolled_meanwhile_is_withheld_too(make):
    data_dir, clock = make("member"), SetClock()
    with ageing(data_dir, STOP, clock) as (_, galleries):
        clock.ms += DAY + 1000
        eventually(lambda: people(galleries) == 0)
        with a_store(data_dir, seed="later") as store:
            store.add_identity("Bob", [a_new_face(2)])
            revision = store.ledger.revision
        eventually(lambda: galleries.revision("home") == revision)

        assert people(galleries) == 0
        heard(data_dir, START_UTC_MS + clock.ms)
        eventually(lambda: people(galleries) == 2)


def test_what_is_old_at_the_start_is_never_used(make):
    with ageing(make("member"), STOP, SetClock(ahead_ms=2 * DAY)) as (watch, galleries):
        assert people(galleries) == 0
        assert watch.withheld() == {"home"}


def test_a_clock_that_is_set_forward_does_not_stop_it_at_once_and_that_is_said(make):
    clock = SetClock()
    with ageing(make("member"), STOP, clock) as (watch, galleries):
        clock.ahead_ms = 300 * DAY
        eventually(watch.remarks)
        assert "was set forward by 300 d" in watch.remarks()[0]
        assert people(galleries) == 1

        clock.ms += PATIENCE_MS
        eventually(lambda: people(galleries) == 0)
        assert "nobody is recognised any more" in watch.remarks()[0]


def test_with_flag_it_is_told_and_nobody_is_withheld(make):
    clock = SetClock()
    with ageing(make("member"), FLAG, clock) as (watch, galleries):
        clock.ms += 3 * DAY
        eventually(watch.remarks)

        assert watch.remarks() == ["namespace home: nothing was heard of the authority for 3 d"]
        assert people(galleries) == 1


def test_a_file_that_cannot_be_read_any_more_grows_old_all_the_same(make):
    data_dir, clock = make("member"), SetClock()
    with ageing(data_dir, STOP, clock) as (_, galleries):
        path = namespace_path(data_dir, "home")
        path.parent.rename(data_dir / "away")
        path.parent.write_text("no folder")
        clock.ms += 2 * DAY

        eventually(lambda: people(galleries) == 0)
        path.parent.unlink()
        (data_dir / "away").rename(path.parent)


@pytest.mark.parametrize("role", ["authority", "split", "joining"])
def test_what_the_authority_itself_knows_is_never_old(make, role):
    clock = SetClock(ahead_ms=400 * DAY)
    with ageing(make(role), STOP, clock) as (watch, galleries):
        assert people(galleries) == 1
        assert watch.remarks() == []
