"""What a member believes of what comes in its authority's name, and what follows from it."""

import pytest

from builders.namespaces import START_UTC_MS, a_store
from builders.porch import AUTHORITY, DAY_MS, PEOPLE, PORCH, TOPICS, House, a_told
from builders.sync import AnAuthority, a_seed
from edged.domain.sync_state import SyncState
from edged.replication.keys import NodeKeys
from edged.settings.sync import Sync
from edged.store.sync_records import envelopes, epoch_record


@pytest.fixture
def house(tmp_path):
    made = House(tmp_path)
    yield made
    made.node.close()


def test_a_word_of_another_manifest_of_this_epoch_is_an_alarm_in_the_log_too(house, caplog):
    house.tell(TOPICS.alive, AUTHORITY.alive(AUTHORITY.epoch(3, PEOPLE[:2]), at=START_UTC_MS + 10))

    assert house.standing.state is SyncState.SPLIT
    assert "two different epochs 3" in caplog.text


def test_an_authority_whose_clock_was_ahead_is_heard_again_with_its_next_epoch(tmp_path):
    house = House(tmp_path, settings=Sync(max_age=2 * 86_400.0))
    ahead = START_UTC_MS + 9000 * DAY_MS
    house.tell(TOPICS.alive, AUTHORITY.alive(AUTHORITY.epoch(3, PEOPLE), at=ahead))
    with a_store(tmp_path) as store:
        assert epoch_record(store.connection).alive_ms == ahead
    house.hear(AUTHORITY.epoch(4, PEOPLE))
    with a_store(tmp_path) as store:
        assert epoch_record(store.connection).alive_ms == START_UTC_MS + 4
    house.node.close()


BAD_WORDS = {
    "a stranger's": (AnAuthority("stranger").told("porch", PORCH, state="removed", envelope=""), "unsigned"),
    "of another namespace": (a_told("removed", envelope="", namespace="office"), "other namespace"),
    "for another node": (a_told("removed", envelope="", node="gate"), "stranger"),
    "for another node of that name": (a_told("removed", envelope="", node_key="0" * 64), "stranger"),
    "said before": (a_told("removed", envelope="", at=START_UTC_MS - 1), "old"),
    "a key for another": (
        a_told(key_generation=2, envelope=AUTHORITY.envelope("gate", NodeKeys(a_seed("gate"))).hex()),
        "no key",
    ),
}


@pytest.mark.parametrize("name", BAD_WORDS)
def test_what_a_node_is_told_counts_only_in_the_words_of_its_authority(house, name):
    house.tell(TOPICS.member("porch"), a_told())
    payload, refusal = BAD_WORDS[name]
    house.tell(TOPICS.member("porch"), payload)

    assert (house.standing.state, house.standing.refused) == (SyncState.IN_STEP, {refusal: 1})
    with a_store(house.folder) as store:
        assert list(envelopes(store.connection)) == [1]


@pytest.mark.parametrize(
    ("payload", "refusal"),
    [
        (AnAuthority("stranger").alive(AUTHORITY.epoch(3, PEOPLE), at=START_UTC_MS + 9000), "unsigned"),
        (
            AnAuthority(namespace="office").alive(AUTHORITY.epoch(3, PEOPLE), at=START_UTC_MS + 9000),
            "other namespace",
        ),
    ],
)
def test_the_word_of_somebody_else_makes_nothing_younger(house, payload, refusal):
    house.tell(TOPICS.alive, payload)

    assert house.standing.refused == {refusal: 1}
    with a_store(house.folder) as store:
        assert epoch_record(store.connection).alive_ms == START_UTC_MS + 3


def test_an_earlier_epoch_does_not_take_the_place_of_the_one_on_its_way(house):
    house.tell(TOPICS.manifest, AUTHORITY.epoch(5, PEOPLE[:3]).payload, turns=0)
    house.tell(TOPICS.manifest, AUTHORITY.epoch(4, PEOPLE[:2]).payload)

    assert house.standing.refused == {"old": 1}
    house.hear(AUTHORITY.epoch(5, PEOPLE[:3]), turns=200)
    assert house.standing.epoch == 5


def test_word_of_an_epoch_that_it_has_not_makes_it_ask_for_the_manifest(house):
    later = AUTHORITY.epoch(4, PEOPLE[:5])
    house.broker.keep(later, TOPICS)
    house.tell(TOPICS.alive, AUTHORITY.alive(later))

    assert (house.standing.epoch, house.standing.state) == (4, SyncState.IN_STEP)
