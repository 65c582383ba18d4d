"""Whoever writes to the broker, and a member gone bad: the authority goes on, and nothing wrong is kept."""

import tempfile
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from builders.authorities import (
    TOPICS,
    Broker,
    a_join,
    a_proposal,
    a_report,
    keys_of,
)
from builders.hostile import BAD_WANTED, LOW_ORDER, a_site, a_wanted, require_honest_work
from builders.namespaces import a_new_face
from edged.domain.sync_state import SyncState
from edged.replication.statement import StatementKind, signed
from edged.replication.statements import Report, name_of
from edged.store.sync_members import member


@pytest.fixture
def site(tmp_path):
    broker, authority = a_site(tmp_path)
    yield broker, authority
    authority.close()


BAD_JOINS = tuple(
    changes
    for changes in (
        {"node": "kitchen\n"},
        {"node": "head"},
        {"node": "door"},
        {"namespace": "office"},
        {"invitation": "00" * 32},
        *({"sealing_key": point.hex()} for point in LOW_ORDER),
    )
)
HOSTILE_TEXT = st.one_of(st.just(b""), st.just(b"{}\n"), st.binary(max_size=300))
NODES = st.sampled_from(["door", "head", "kitchen", "door\n", "\x1b[2J", "+", "a" * 300])
KINDS = ("report", "join", "proposal")


def an_altered(payload: bytes, data) -> bytes:
    how = data.draw(st.sampled_from(["cut", "alter", "grow", "no end", "line", "junk"]))
    place = data.draw(st.integers(0, max(len(payload) - 1, 0)))
    return {
        "cut": payload[:place],
        "alter": payload[:place] + bytes([payload[place] ^ 1 if payload else 0]) + payload[place + 1 :],
        "grow": payload + b"x" * 100_000,
        "no end": payload[:-1],
        "line": payload + b"\n",
        "junk": data.draw(HOSTILE_TEXT),
    }[how]


def an_attack(broker: Broker, log: list, data, number: int) -> tuple[str, bytes]:  # noqa: PLR0911 (kinds)
    """A topic and what comes there: nothing of it may change who is enrolled, or who is a member.

    `broker` is one that nobody attacks, and `log` what went through the other.
    """
    what = data.draw(
        st.sampled_from(["stranger", "altered", "manifest", "report", "proposal", "join", "replay"])
    )
    if what == "manifest":
        retained = broker.retained.get(TOPICS.manifest, b"")
        return TOPICS.manifest, an_altered(retained, data)
    if what == "report":
        games = {"epoch": data.draw(st.sampled_from([0, 1, 2**53])), "at": data.draw(st.integers(0, 2**53))}
        games["missing"] = tuple(f"{data.draw(st.integers(0, 9)):064x}" for _ in range(3))
        return TOPICS.report("door"), a_report(broker, "door", **games)
    if what == "proposal":
        content = data.draw(st.sampled_from(BAD_WANTED))
        games = {"number": data.draw(st.sampled_from([number, 2**53]))}
        return TOPICS.proposal("door"), a_proposal(broker, "door", content, **games)
    if what == "join":
        changes = data.draw(st.sampled_from(BAD_JOINS))
        return TOPICS.join(changes.get("node", "kitchen")), a_join("kitchen", **changes)
    if what == "replay":
        old = [each for each in log if each[0].split("/")[-1] in KINDS]
        return data.draw(st.sampled_from(old))
    kind = data.draw(st.sampled_from(KINDS))
    node = data.draw(NODES)
    topic = f"edged/device/{node}/sync/home/{kind}"
    if what == "altered":
        ours = [payload for each, payload in log if each.split("/")[-1] in KINDS]
        return topic, an_altered(data.draw(st.sampled_from(ours)), data)
    forged = {
        "report": a_report(broker, "door", has_left=True),
        "join": a_join("door", secret=b"x" * 16),
        "proposal": a_proposal(broker, "door", msgspec.msgpack.encode(a_wanted()), by="mallory"),
    }[kind]
    if kind == "report":
        said = Report(
            namespace="home", node="door", epoch=9, manifest="0" * 64, swept_epoch=9, at=2**53, state="x"
        )
        forged = signed(StatementKind.REPORT, said, keys_of("mallory").node)
    return topic, forged


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_nothing_that_is_sent_changes_who_is_enrolled_or_stops_the_authority(data):
    with tempfile.TemporaryDirectory() as folder:
        broker, authority = a_site(Path(folder))
        published = authority.standing(broker.now).published
        calm = Broker(broker.clock)
        calm.retained = dict(broker.retained)
        for number in range(data.draw(st.integers(1, 12))):
            topic, payload = an_attack(calm, broker.log, data, number + 10)
            if topic == TOPICS.manifest:
                broker.publish(topic, payload)
            else:
                broker.publish(topic, payload, is_retained=False)
            if data.draw(st.booleans()):
                broker.run(1)
        broker.run(1)

        assert authority.standing(broker.now).published <= published + 4, "nobody makes it publish at will"
        assert len(authority._arrivals._reports) <= 1
        require_honest_work(broker, authority)
        authority.close()


def test_a_manifest_written_in_another_way_does_not_make_two_writers_of_one(site):
    broker, authority = site
    payload = broker.retained[TOPICS.manifest]
    text, signature, _ = payload.split(b"\n")
    # The last letter before the padding has bits that mean nothing.
    other = {b"A": b"B", b"Q": b"R", b"g": b"h", b"w": b"x"}[signature[-3:-2]]
    for each in (payload[:-1], payload + b"\n", text + b"\n" + signature[:-3] + other + b"==\n"):
        assert name_of(each) != name_of(payload)
        broker.publish(TOPICS.manifest, each)
        broker.run(1)

    assert authority.standing(broker.now).refused == {"unsigned": 3}
    require_honest_work(broker, authority)


@pytest.mark.parametrize("moment", [0.0, 3.0])
def test_a_manifest_that_is_written_over_is_put_back_whenever_that_was(site, moment):
    broker, authority = site
    with authority._desk.parts.open_store() as store:
        store.add_identity("Dan", [a_new_face(5)])
    broker.run(2 + moment)
    ours = broker.retained[TOPICS.manifest]
    broker.publish(TOPICS.manifest, b"junk")
    broker.run(15)

    assert broker.retained[TOPICS.manifest] == ours
    assert authority.standing(broker.now).state is SyncState.IN_STEP


def test_a_manifest_that_is_written_over_all_the_while_is_put_back_now_and_then(site):
    broker, authority = site
    before = authority.standing(broker.now).published
    for _ in range(120):
        broker.publish(TOPICS.manifest, b"junk")
        broker.run(0.5)

    assert 5 <= authority.standing(broker.now).published - before <= 7


def test_a_member_that_invents_epochs_moves_the_authority_once_a_minute_at_most(site):
    broker, authority = site
    first = broker.manifest.epoch
    for number in range(40):
        report = a_report(broker, "door", epoch=broker.manifest.epoch + 1000, at=broker.now.utc_ms + number)
        broker.publish(TOPICS.report("door"), report, is_retained=False)
        broker.run(1)

    assert broker.manifest.epoch == first + 1001
    assert authority.standing(broker.now).published <= 4


def test_an_epoch_that_nobody_can_have_is_not_gone_after(site):
    broker, _ = site
    first = broker.manifest.epoch
    for number, epoch in enumerate([2**53, first + 1_000_001]):
        report = a_report(broker, "door", seen_epoch=epoch, at=broker.now.utc_ms + 1 + number)
        broker.publish(TOPICS.report("door"), report, is_retained=False)
        broker.run(2)

    assert broker.manifest.epoch == first


def test_ten_thousand_junk_topics_cost_neither_memory_nor_members(site):
    broker, authority = site
    for number in range(10_000):
        kind = KINDS[number % 3]
        payload = a_join(f"cam-{number}", secret=b"x" * 16) if number < 300 else b"junk"
        broker.publish(f"edged/device/cam-{number}/sync/home/{kind}", payload, is_retained=False)

    refused = authority.standing(broker.now).refused
    assert sum(refused.values()) == 10_000
    assert authority._arrivals._reports == {}
    assert authority._arrivals._told_again == {}
    require_honest_work(broker, authority)


def test_a_member_whose_clock_was_ahead_for_a_while_is_heard_again(site):
    broker, authority = site
    far = broker.now.utc_ms + 20 * 365 * 86_400_000
    broker.publish(TOPICS.report("door"), a_report(broker, "door", at=far, swept_epoch=1, epoch=1))
    broker.run(2)
    with authority._desk.parts.open_store() as store:
        store.add_identity("Dan", [a_new_face(5)])
    broker.run(4)
    broker.publish(TOPICS.report("door"), a_report(broker, "door"))
    broker.run(2)

    assert member(authority._desk.store.connection, "door").epoch == broker.manifest.epoch


def test_a_member_that_lost_what_it_was_told_is_told_again_but_not_at_once_again(site):
    broker, authority = site
    del broker.retained[TOPICS.member("door")]
    broker.log.clear()
    for number in range(20):
        report = a_report(broker, "door", state="no key", at=broker.now.utc_ms + number)
        broker.publish(TOPICS.report("door"), report)
        broker.run(0.5)

    assert broker.member("door").state == "member"
    assert sum(topic == TOPICS.member("door") for topic, _ in broker.log) <= 2
    assert authority.standing(broker.now).refused == {}


def test_what_is_quoted_of_a_stranger_is_short_and_cannot_write_on_a_terminal(site, caplog):
    broker, _ = site
    nasty = "\x1b[2J" + "x" * 5000
    broker.publish(f"edged/device/{nasty}/sync/home/report", b"junk", is_retained=False)
    said = signed(
        StatementKind.REPORT,
        msgspec.defstruct("Odd", ["namespace", "state"])(namespace="home", state="\x1b[2J"),
        keys_of("door").node,
    )
    broker.publish(TOPICS.report("door"), said, is_retained=False)

    words = [record.args[2] for record in caplog.records if "not taken" in record.msg]
    assert words
    assert all(len(each) <= 401 and each.isprintable() for each in words)
