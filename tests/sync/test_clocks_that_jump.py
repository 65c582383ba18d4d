"""Clocks that were wrong for a while: what was said by them does not stay."""

import pytest

from builders.authorities import TOPICS, Broker, an_authority
from builders.namespaces import a_new_face
from edged.replication.statement import StatementKind, taken_apart
from edged.replication.statements import Alive
from edged.sync.authority_desk import ms_of

YEAR_MS = 365 * 86_400_000


@pytest.fixture
def broker():
    return Broker()


@pytest.fixture
def authority(tmp_path, broker):
    started = an_authority(tmp_path, broker)
    broker.run(4)
    yield started
    started.close()


@pytest.fixture
def store(authority):
    with authority._desk.parts.open_store() as opened:
        yield opened


def alive(broker):
    return taken_apart(StatementKind.ALIVE, broker.retained[TOPICS.alive]).body(Alive)


def test_an_epoch_takes_back_a_time_that_was_still_to_come(authority, broker):
    broker.clock.utc_shift_ms += 20 * YEAR_MS
    broker.clock.ms += ms_of(authority._desk.parts.settings.alive_every)
    broker.run(2)
    assert alive(broker).at > broker.now.utc_ms - YEAR_MS
    first = broker.manifest.epoch
    broker.clock.utc_shift_ms = 0
    broker.run(5)

    assert broker.manifest.epoch == first + 1
    assert broker.manifest.issued_at <= broker.now.utc_ms
    assert alive(broker).epoch == first + 1
    assert alive(broker).at <= broker.now.utc_ms


def test_an_epoch_of_a_time_still_to_come_is_followed_by_one_of_now(store, broker):
    broker.clock.utc_shift_ms += 20 * YEAR_MS
    store.add_identity("Ada", [a_new_face(1)])
    broker.run(4)
    first = broker.manifest.epoch
    broker.clock.utc_shift_ms = 0
    broker.run(30)

    assert broker.manifest.epoch == first + 1, "one, and no more"
    assert broker.manifest.issued_at <= broker.now.utc_ms


def test_a_clock_that_is_slewed_makes_no_epoch(broker, authority):
    first = broker.manifest.epoch
    broker.clock.utc_shift_ms -= 30_000
    broker.run(5)

    assert broker.manifest.epoch == first
    assert authority.standing(broker.now).trouble == ""


def test_pages_that_went_by_a_clock_that_was_ahead_are_cleared_all_the_same(store, broker):
    ada = store.add_identity("Ada", [a_new_face(1)])
    broker.run(4)
    broker.clock.utc_shift_ms += 20 * YEAR_MS
    store.rename(ada.id, "Ida")
    broker.run(4)
    broker.clock.utc_shift_ms = 0
    broker.run(10)

    listed = {TOPICS.page(entry.sha256) for entry in broker.manifest.pages}
    there = {topic for topic in broker.retained if TOPICS.page_of(topic)}
    assert there == listed
