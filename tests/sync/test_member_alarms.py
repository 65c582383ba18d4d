"""What a member says of what it does not take, and that this ends when all is well again."""

import pytest
from msgspec.structs import replace

from builders.namespaces import MODEL, START_UTC_MS, a_store
from builders.porch import AUTHORITY, DAY_MS, PEOPLE, TOPICS, House, a_told
from builders.sync import AnAuthority, a_person, a_seed
from edged.domain.sync_state import SyncState
from edged.replication.keys import NodeKeys
from edged.settings.sync import Sync
from edged.store.sync_records import epoch_record
from edged.sync.page_fetching import WINDOW

HEIR = AnAuthority("heir")


class CountingKeys(NodeKeys):
    """Keys that count how often an envelope is opened."""

    def __init__(self, seed):
        super().__init__(seed)
        self.opened = 0

    def open_envelope(self, envelope, place):
        self.opened += 1
        return super().open_envelope(envelope, place)


@pytest.fixture
def house(tmp_path):
    made = House(tmp_path)
    yield made
    made.node.close()


BAD_MANIFESTS = {
    "an old one": (AUTHORITY.epoch(2, PEOPLE).payload, "old", SyncState.IN_STEP, "replays an older one"),
    "another of this epoch": (
        AUTHORITY.epoch(3, PEOPLE[:2]).payload,
        "split",
        SyncState.SPLIT,
        "two nodes write",
    ),
    "of another model": (
        AUTHORITY.epoch(4, PEOPLE, model="b" * 64).payload,
        "other model",
        SyncState.OTHER_MODEL,
        "Use the same model on all nodes",
    ),
    "a stranger's": (
        AnAuthority("stranger").epoch(4, PEOPLE).payload,
        "unsigned",
        SyncState.UNTRUSTED,
        "not signed by the authority",
    ),
    "of another namespace": (
        AUTHORITY.epoch(4, PEOPLE, namespace="office").payload,
        "other namespace",
        SyncState.UNTRUSTED,
        "of the namespace 'office'",
    ),
    "cut off": (AUTHORITY.epoch(4, PEOPLE).payload[:100], "unsigned", SyncState.UNTRUSTED, "without a sig"),
    "oversized": (b"x" * 2_000_091, "oversized", SyncState.UNTRUSTED, "2000091 bytes came"),
    "of impossible pages": (
        AUTHORITY.epoch(4, PEOPLE, buckets=4, pages=()).payload,
        "malformed",
        SyncState.UNTRUSTED,
        "lacks the pages",
    ),
    "of an heir in the name of another": (
        HEIR.epoch(4, PEOPLE, handovers=(AUTHORITY.handover(HEIR, 3),), authority="0" * 64).payload,
        "unsigned",
        SyncState.UNTRUSTED,
        "not signed by the authority",
    ),
    "of one who was to be the heir before": (
        HEIR.epoch(4, PEOPLE, handovers=(AUTHORITY.handover(HEIR, 2),)).payload,
        "unsigned",
        SyncState.UNTRUSTED,
        "not signed by the authority",
    ),
    "of an heir before its time": (
        HEIR.epoch(4, PEOPLE, handovers=(AUTHORITY.handover(HEIR, 4),)).payload,
        "unsigned",
        SyncState.UNTRUSTED,
        "not signed by the authority",
    ),
    "in the name of another": (
        AUTHORITY.epoch(4, PEOPLE, authority="0" * 64).payload,
        "malformed",
        SyncState.UNTRUSTED,
        "names another key",
    ),
}


@pytest.mark.parametrize("name", BAD_MANIFESTS)
def test_a_manifest_that_is_not_taken_is_told_as_what_it_is_until_a_good_one_comes(house, name):
    payload, refusal, state, words = BAD_MANIFESTS[name]
    house.tell(TOPICS.manifest, payload)
    standing = house.standing

    assert (standing.epoch, standing.state) == (3, state)
    assert words in standing.trouble
    assert standing.refused == {refusal: 1}
    house.hear(AUTHORITY.epoch(5, PEOPLE[1:]))
    assert (house.standing.epoch, house.standing.state, house.standing.trouble) == (5, SyncState.IN_STEP, "")


def test_the_one_in_force_coming_again_ends_an_alarm(house):
    house.tell(TOPICS.manifest, BAD_MANIFESTS["a stranger's"][0])
    house.hear(AUTHORITY.epoch(3, PEOPLE))

    assert (house.standing.state, house.standing.trouble) == (SyncState.IN_STEP, "")


def test_a_manifest_written_in_another_way_is_no_second_one(house):
    payload = AUTHORITY.epoch(3, PEOPLE).payload
    for each in (payload[:-1], payload + b"\n", b" " + payload, payload.replace(b"\n", b"\r\n")):
        house.tell(TOPICS.manifest, each)

    assert house.standing.refused == {"unsigned": 4}
    assert house.standing.state is not SyncState.SPLIT


def test_of_two_manifests_of_one_epoch_neither_is_applied_but_the_next_one_is(house):
    one, other = AUTHORITY.epoch(4, PEOPLE[:2]), AUTHORITY.epoch(4, PEOPLE[2:])
    house.tell(TOPICS.manifest, one.payload, turns=0)
    for each in (other, one, other):
        house.hear(each)
        assert (house.standing.epoch, house.standing.state) == (3, SyncState.SPLIT)
    house.tell(TOPICS.alive, AUTHORITY.alive(one))
    assert house.standing.epoch == 3
    house.hear(AUTHORITY.epoch(5, PEOPLE))

    assert (house.standing.epoch, house.standing.state) == (5, SyncState.IN_STEP)


def test_who_was_put_out_fetches_nothing_more(house):
    house.tell(TOPICS.member("porch"), a_told("removed", envelope=""))
    asked = house.standing.page_requests
    for epoch in (AUTHORITY.epoch(4, PEOPLE[:2]), AUTHORITY.epoch(5, PEOPLE)):
        house.hear(epoch)

    assert (house.standing.state, house.standing.page_requests) == (SyncState.REMOVED, asked)
    assert "this node was put out" in house.standing.trouble
    assert house.node.subscriptions() == {TOPICS.manifest, TOPICS.alive, TOPICS.member("porch")}


def test_who_is_put_out_while_it_fetches_stops(house):
    house.broker.retained.clear()
    house.tell(TOPICS.manifest, AUTHORITY.epoch(4, PEOPLE[:2]).payload)
    assert len(house.node.subscriptions()) > 3
    house.tell(TOPICS.member("porch"), a_told("removed", envelope=""))

    assert len(house.node.subscriptions()) == 3


@pytest.mark.parametrize(("when_old", "words"), [("keep", ""), ("flag", "longer than `sync.max_age`")])
def test_what_is_old_is_told_as_trouble_only_where_that_is_wanted(tmp_path, when_old, words):
    house = House(tmp_path, settings=Sync(max_age=86_400.0, when_old=when_old))
    house.clock.ms += 3 * DAY_MS
    house.broker.run(house.node, house.clock)

    assert house.standing.state is SyncState.OLD
    assert words in house.standing.trouble
    assert bool(words) == bool(house.standing.trouble)
    house.node.close()


def test_a_bucket_that_is_applied_again_does_not_make_the_last_word_older(house):
    house.tell(TOPICS.alive, AUTHORITY.alive(AUTHORITY.epoch(3, PEOPLE), at=START_UTC_MS + 5000))
    with a_store(house.folder, seed="cli") as store, store.change():
        store.connection.execute("UPDATE sync_bucket SET content_hash = NULL")
    house.broker.run(house.node, house.clock)

    with a_store(house.folder) as store:
        assert epoch_record(store.connection).alive_ms == START_UTC_MS + 5000
        assert store.connection.execute(
            "SELECT count(*) FROM sync_bucket WHERE content_hash IS NULL"
        ).fetchone() == (0,)


def test_pages_that_come_all_at_once_wait_in_the_broker_and_not_in_memory(house):
    epoch = AUTHORITY.epoch(4, [a_person(n, looks=1) for n in range(60)], buckets=32)
    house.tell(TOPICS.manifest, epoch.payload, turns=1)
    for name, sealed in epoch.pages.items():
        house.node.arrived(TOPICS.page(name), sealed, house.clock.moment())
    assert house.standing.pages_missing == 32 - WINDOW
    house.hear(epoch, turns=200)

    assert (house.standing.epoch, house.standing.state) == (4, SyncState.IN_STEP)


def test_a_page_that_is_too_large_is_told_as_that(house):
    epoch = AUTHORITY.epoch(4, PEOPLE[:1])
    house.tell(TOPICS.manifest, epoch.payload)
    name, sealed = next(iter(epoch.pages.items()))
    house.node.arrived(TOPICS.page(name), sealed + b"x", house.clock.moment())
    house.node.arrived(TOPICS.page(name), sealed[:-1] + b"x", house.clock.moment())

    assert house.standing.refused == {"oversized": 1, "altered": 1}


WRONG_EPOCHS = {
    "of another whole": (AUTHORITY.epoch(4, PEOPLE, content="0" * 64), "altered"),
    "with a name that is kept otherwise": (AUTHORITY.epoch(4, [a_person(1, name=" x ")]), "malformed"),
    "with one customId for two": (
        AUTHORITY.epoch(4, [a_person(n, custom_id="a") for n in range(2)]),
        "altered",
    ),
    "with one face for two": (
        AUTHORITY.epoch(4, [a_person(1), replace(a_person(1), id=a_person(2).id)]),
        "altered",
    ),
}


@pytest.mark.parametrize("name", WRONG_EPOCHS)
def test_an_epoch_that_does_not_come_out_as_it_says_is_not_applied(house, name):
    epoch, refusal = WRONG_EPOCHS[name]
    house.hear(epoch)

    assert (house.standing.epoch, house.standing.state) == (3, SyncState.UNTRUSTED)
    assert house.standing.refused.keys() == {refusal}
    with a_store(house.folder) as store:
        assert len(store.identities()) == len(PEOPLE)
    house.hear(AUTHORITY.epoch(5, PEOPLE[:2]))
    assert (house.standing.epoch, house.standing.state) == (5, SyncState.IN_STEP)


def test_ten_thousand_junk_messages_at_each_topic_are_counted_and_cost_nothing(house):
    for number in range(2_500):
        for topic in (
            TOPICS.manifest,
            TOPICS.alive,
            TOPICS.member("porch"),
            TOPICS.page(f"{number:064x}"),
        ):
            house.node.arrived(topic, b"junk %d" % number, house.clock.moment())
    house.hear(AUTHORITY.epoch(4, PEOPLE[:3]))

    standing = house.standing
    assert standing.refused == {"unsigned": 7_500, "unlisted": 2_500}
    assert (standing.epoch, standing.state, standing.trouble) == (4, SyncState.IN_STEP, "")


def test_the_namespaces_key_is_opened_only_where_something_is_to_be_sealed(tmp_path):
    keys = CountingKeys(a_seed("porch"))
    house = House(tmp_path, keys=keys)
    before = keys.opened
    house.broker.run(house.node, house.clock, turns=100)
    assert keys.opened == before
    with a_store(tmp_path, seed="cli") as store:
        store.rename(PEOPLE[0].id, "Renamed here")
    house.broker.run(house.node, house.clock, turns=100)

    assert 0 < keys.opened - before <= 5
    assert house.parts.model_hash == MODEL
    house.node.close()
