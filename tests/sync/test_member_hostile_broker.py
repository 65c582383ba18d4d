"""A broker that lies: nothing wrong is ever applied, and an honest one brings all in step again."""

import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from builders.namespaces import MODEL, START_UTC_MS, HandClock, a_store
from builders.sync import ABroker, AnAuthority, a_person, be_member, node_parts
from edged.domain.sync_state import SyncState
from edged.store.sync_records import shared_person
from edged.sync.member import Member
from edged.sync.page_fetching import MOST_LATE, WINDOW

AUTHORITY = AnAuthority()
STRANGER = AnAuthority("stranger")
ELSEWHERE = AnAuthority(namespace="office")
WORLDS = {
    1: [a_person(n) for n in range(10)],
    2: [a_person(n, looks=n % 2) for n in range(2, 12)],
    3: [a_person(n, name=f"Renamed {n}") for n in range(5)],
}
EPOCHS = {number: AUTHORITY.epoch(number, people) for number, people in WORLDS.items()}
TOPICS = AUTHORITY.topics
FOREIGN = ELSEWHERE.epoch(9, WORLDS[2])
STRANGE = STRANGER.epoch(9, WORLDS[2])
STRANGE_WORD = STRANGER.alive(STRANGE, at=START_UTC_MS + 10**12)
LIES = (
    "withhold",
    "twice",
    "later",
    "cut",
    "alter",
    "grow",
    "huge",
    "other form",
    "swap",
    "old",
    "foreign",
    "strange",
    "unsigned",
    "empty",
    "junk",
)
MOST_SUBSCRIBED = 3 + WINDOW + MOST_LATE


def content_of(store):
    ids = [row[0] for row in store.connection.execute("SELECT id FROM identity ORDER BY id")]
    return [shared_person(store.connection, each, MODEL, with_chips=False) for each in ids]


class Liar:
    """A broker's way with one epoch: each message is told truly, or as a lie of some kinds."""

    def __init__(self, kinds, other, chance):
        self.kinds = [*kinds, "honest"]
        self.other = other
        self.chance = chance
        self.held = []

    def __call__(self, topic, payload):
        kind = self.chance.choice(self.kinds)
        if kind == "later":
            self.held.append((topic, payload))
            self.chance.shuffle(self.held)
            return [self.held.pop() for _ in range(self.chance.randrange(len(self.held) + 1))]
        return [(topic, payload)] if kind == "honest" else self.told(kind, topic, payload)

    def told(self, kind, topic, payload):
        place = self.chance.randrange(len(payload))
        altered = payload[:place] + bytes([payload[place] ^ self.chance.randrange(1, 256)])
        strange = {TOPICS.manifest: STRANGE.payload, TOPICS.alive: STRANGE_WORD}
        old = {TOPICS.manifest: EPOCHS[1].payload, TOPICS.alive: AUTHORITY.alive(EPOCHS[1])}
        return {
            "withhold": [],
            "twice": [(topic, payload)] * 2,
            "cut": [(topic, payload[:place])],
            "alter": [(topic, altered + payload[place + 1 :])],
            "grow": [(topic, payload + b"x" * 100_000)],
            "huge": [(topic, b"{" * 3_000_000)],
            "other form": [(topic, payload[:-1])],
            "swap": [(topic, next(iter(self.other.pages.values())))],
            "old": [(topic, old.get(topic, payload))],
            "foreign": [(topic, FOREIGN.payload)],
            "strange": [(topic, strange.get(topic, payload))],
            "unsigned": [(topic, payload.split(b"\n")[0] + b"\n")],
            "empty": [(topic, b"")],
            "junk": [(TOPICS.page(f"{n:064x}"), b"junk") for n in range(50)] + [(topic, payload)],
        }[kind]


def keep(broker, epoch):
    broker.keep(epoch, TOPICS)
    broker.retained[TOPICS.alive] = AUTHORITY.alive(epoch)


def in_force(store):
    row = store.connection.execute("SELECT epoch FROM sync_epoch").fetchone()
    return 0 if row is None else row[0]


def require_one_epoch(store):
    epoch = in_force(store)
    expected = sorted(WORLDS[epoch], key=lambda person: person.id) if epoch else []
    assert content_of(store) == expected, "the database is exactly one epoch's content"
    ((staged,),) = store.connection.execute("SELECT count(*) FROM sync_page").fetchall()
    assert staged <= 4, "never more is staged than one epoch lists"
    return epoch


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.tuples(
            st.sampled_from([1, 2, 3]),
            st.lists(st.sampled_from((*LIES, "honest")), max_size=6),
            st.integers(0, 12),
            st.sampled_from(["goes on", "is cut off", "starts anew", "clock forward", "clock back"]),
        ),
        min_size=1,
        max_size=4,
    ),
    st.randoms(use_true_random=False),
)
def test_nothing_wrong_is_applied_and_an_honest_broker_heals_all(story, chance):
    with tempfile.TemporaryDirectory() as folder:
        data_dir, clock, broker = Path(folder), HandClock(), ABroker()
        parts = node_parts(data_dir)
        with a_store(data_dir) as store:
            be_member(store, AUTHORITY, parts)
            node, best = Member(parts), 0
            for number, lies, turns, what in story:
                keep(broker, EPOCHS[number])
                broker.connect(node, clock.moment())
                broker.lie = Liar(lies, EPOCHS[number % 3 + 1], chance)
                broker.run(node, clock, turns=turns, step_ms=2000)
                epoch = require_one_epoch(store)
                assert epoch >= best, "it never goes back"
                assert len(node.subscriptions()) <= MOST_SUBSCRIBED
                best = epoch
                node.disconnected(clock.moment())
                if what == "starts anew":
                    node.close()
                    node = Member(parts)
                clock.utc_shift_ms += {"clock forward": 10**11, "clock back": -(10**11)}.get(what, 0)
            broker.lie = lambda topic, payload: [(topic, payload)]
            keep(broker, EPOCHS[3])
            broker.connect(node, clock.moment())
            broker.run(node, clock, turns=20)
            assert require_one_epoch(store) == 3
            standing = node.standing(clock.moment())
            assert (standing.state, standing.trouble) == (SyncState.IN_STEP, "")
            node.close()


def test_ten_thousand_junk_topics_are_counted_and_cost_nothing(tmp_path):
    clock, broker, parts = HandClock(), ABroker(), node_parts(tmp_path)
    with a_store(tmp_path) as store:
        be_member(store, AUTHORITY, parts)
    node = Member(parts)
    broker.connect(node, clock.moment())
    for number in range(10_000):
        node.arrived(TOPICS.page(f"{number:064x}"), b"junk", clock.moment())
    broker.keep(EPOCHS[1], TOPICS)
    broker.run(node, clock)

    standing = node.standing(clock.moment())
    assert standing.refused == {"unlisted": 10_000}
    assert (standing.epoch, standing.state) == (1, SyncState.IN_STEP)
    assert len(node.subscriptions()) == 3
    node.close()


def test_a_strangers_manifest_is_told_as_what_it_is(tmp_path):
    clock, broker, parts = HandClock(), ABroker(), node_parts(tmp_path)
    with a_store(tmp_path) as store:
        be_member(store, AUTHORITY, parts)
    node = Member(parts)
    broker.keep(STRANGE, TOPICS)
    broker.connect(node, clock.moment())
    broker.run(node, clock)

    standing = node.standing(clock.moment())
    assert (standing.epoch, standing.state) == (0, SyncState.UNTRUSTED)
    assert "not signed by the authority" in standing.trouble
    assert standing.refused["unsigned"] >= 1
    node.close()
