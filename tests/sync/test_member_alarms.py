"""What a member says of what it does not take, and that this ends when all is well again."""

import pytest
from msgspec.structs import replace

from builders.namespaces import MODEL, START_UTC_MS, HandClock, a_store
from builders.sync import ABroker, AnAuthority, a_person, a_seed, be_member, node_parts
from edged.domain.sync_state import SyncState
from edged.replication.keys import NodeKeys
from edged.settings.sync import Sync
from edged.store.sync_records import envelopes, epoch_record
from edged.sync.member import Member
from edged.sync.page_fetching import WINDOW

PEOPLE = [a_person(n) for n in range(8)]
DAY_MS = 86_400_000
AUTHORITY = AnAuthority()
HEIR = AnAuthority("heir")
PORCH = NodeKeys(a_seed("porch"))
TOPICS = AUTHORITY.topics


class CountingKeys(NodeKeys):
    """Keys that count how often an envelope is opened."""

    def __init__(self, seed):
        super().__init__(seed)
        self.opened = 0

    def open_envelope(self, envelope, place):
        self.opened += 1
        return super().open_envelope(envelope, place)


class House:
    """A member `porch` at a broker, with an epoch 3 in force."""

    def __init__(self, folder, **parts):
        self.folder, self.clock, self.broker = folder, HandClock(), ABroker()
        self.parts = node_parts(folder, **parts)
        with a_store(folder) as store:
            be_member(store, AUTHORITY, self.parts)
        self.node = Member(self.parts)
        self.broker.connect(self.node, self.clock.moment())
        self.hear(AUTHORITY.epoch(3, PEOPLE))

    def hear(self, epoch, turns=20):
        """The broker has an epoch, whole, and shows its manifest."""
        self.broker.keep(epoch, TOPICS)
        self.tell(TOPICS.manifest, epoch.payload, turns)

    def tell(self, topic, payload, turns=20):
        self.node.arrived(topic, payload, self.clock.moment())
        self.broker.run(self.node, self.clock, turns)

    @property
    def standing(self):
        return self.node.standing(self.clock.moment())


@pytest.fixture
def house(tmp_path):
    made = House(tmp_path)
    yield made
    made.node.close()


def a_told(state="member", **changes):
    return AUTHORITY.told("porch", PORCH, state=state, **changes)


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


def test_a_word_of_another_manifest_of_this_epoch_is_an_alarm_in_the_log_too(house, caplog):
    house.tell(TOPICS.alive, AUTHORITY.alive(AUTHORITY.epoch(3, PEOPLE[:2]), at=START_UTC_MS + 10))

    assert house.standing.state is SyncState.SPLIT
    assert "two different epochs 3" in caplog.text


def test_who_was_put_out_fetches_nothing_more(house):
    house.tell(TOPICS.member("porch"), a_told("removed", envelope=""))
    asked = house.standing.page_requests
    for epoch in (AUTHORITY.epoch(4, PEOPLE[:2]), AUTHORITY.epoch(5, PEOPLE)):
        house.hear(epoch)

    assert (house.standing.state, house.standing.page_requests) == (SyncState.REMOVED, asked)
    assert house.node.subscriptions() == {TOPICS.manifest, TOPICS.alive, TOPICS.member("porch")}


def test_who_is_put_out_while_it_fetches_stops(house):
    house.broker.retained.clear()
    house.tell(TOPICS.manifest, AUTHORITY.epoch(4, PEOPLE[:2]).payload)
    assert len(house.node.subscriptions()) > 3
    house.tell(TOPICS.member("porch"), a_told("removed", envelope=""))

    assert len(house.node.subscriptions()) == 3


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
