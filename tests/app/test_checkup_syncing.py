"""The doctor on synced namespaces, at a real broker."""

import subprocess

import pytest

from bench import raw_broker as raw
from bench.mosquitto import IS_INSTALLED, WHY_NOT, Mosquitto
from bench.raw_broker import RawBroker
from builders.doctor import a_configuration, by_name, examined
from builders.namespaces import START_UTC_MS, a_new_face, a_store
from builders.syncs import NODE, SEED, an_epoch
from edged.app.checkup.finding import Health
from edged.app.sync_keys import key_path, write_seed
from edged.app.sync_told import SyncTeller
from edged.domain.sync_state import NamespaceSync, SyncRole, SyncState
from edged.replication.topics import SyncTopics
from edged.store.database import transaction
from edged.system.clock import SystemClock
from edged.system.lock import FolderLock

pytestmark = pytest.mark.skipif(not IS_INSTALLED, reason=WHY_NOT)

ACL = ["user kitchen", "topic readwrite edged/#", "user stranger", "topic read edged/#"]


@pytest.fixture(scope="module")
def broker():
    with Mosquitto(users={"kitchen": "pw", "stranger": "pw"}, acl=ACL, persistence=False) as running:
        yield running


def retain(broker, topic, payload):
    arguments = ["-p", str(broker.port), "-u", "kitchen", "-P", "pw", "-q", "1", "-r", "-t", topic]
    subprocess.run(["mosquitto_pub", *arguments, "-s" if payload else "-n"], input=payload, check=True)


class House:
    """A data folder with a synced namespace, and the doctor's findings on it."""

    def __init__(self, folder, broker):
        self.folder, self.data_dir = folder, folder / "data"
        self.sink = {"type": "mqtt", "host": "127.0.0.1", "port": broker.port}
        self.sync = {}
        self.user = NODE

    def founded(self, role="authority"):
        with a_store(self.data_dir) as store:
            for number, name in enumerate(["Ada", "Bob"], 1):
                store.add_identity(name, [a_new_face(number)])
            self.manifest = an_epoch(store, role=role)
        write_seed(self.data_dir, "home", SEED)
        return self

    def change(self, sql, *values):
        with a_store(self.data_dir, seed="change") as store, transaction(store.connection):
            store.connection.execute(sql, values)

    def found(self, **options):
        secrets = self.folder / "secrets"
        secrets.mkdir(exist_ok=True)
        (secrets / "pw").write_text("pw")
        (secrets / "pw").chmod(0o600)
        sink = self.sink | {"username": self.user}
        config = a_configuration(self.folder, sinks=[sink], device=NODE, sync=self.sync)
        login = f"username: {self.user}"
        config.write_text(config.read_text().replace(login, f"{login}\n  password: !secret pw"))
        return by_name(examined(config, "sync", **options)[1])


@pytest.fixture
def house(tmp_path, broker):
    return House(tmp_path, broker)


def test_where_nothing_is_synced_that_is_said(house):
    assert "no namespace is synced" in house.found()["sync"].seen


def test_an_authority_that_is_well(house):
    found = house.founded().found(with_fsck=True)

    assert "authority as kitchen" in found["sync home"].seen
    assert found["epoch home"].health is Health.WELL
    assert "the content is what its manifest says" in found["epoch home"].seen
    assert (found["seed home"].health, found["proposals home"].health) == (Health.WELL, Health.WELL)
    assert found["members home"].seen == "there is none yet"
    assert found["sync broker"].health is Health.WELL
    assert "keeps no manifest" in found["sync broker home"].seen


def test_content_that_is_not_the_manifests_is_wrong(house):
    house.founded().change("UPDATE sync_bucket SET content_hash = zeroblob(32) WHERE bucket = 1")

    assert house.found(with_fsck=True)["epoch home"].health is Health.ILL


def test_a_node_without_its_secret_is_wrong_and_no_secret_is_shown(house):
    house.founded()
    found = house.found()
    assert all(key_path(house.data_dir, "home").read_text().strip() not in str(one) for one in found.values())

    key_path(house.data_dir, "home").chmod(0o644)
    assert "can be read by other users" in house.found()["seed home"].seen
    key_path(house.data_dir, "home").unlink()
    assert house.found()["seed home"].health is Health.ILL


def test_changes_that_are_not_published_are_told(house):
    house.founded()
    with a_store(house.data_dir, seed="later") as store:
        store.add_identity("Cleo")

    assert "changes since are not published" in house.found()["epoch home"].seen


def test_members_that_lag_are_named(house):
    house.founded().change(
        "INSERT INTO sync_member (node, node_key, sealing_key, authority_key, joined_ms)"
        " VALUES ('hall', zeroblob(32), zeroblob(32), zeroblob(32), 0)"
    )

    seen = house.found()["members home"].seen
    assert "1 have not applied epoch 1: hall (epoch 0)" in seen
    assert "hall (never)" in seen


def test_a_member_that_was_let_in_just_now_is_not_called_silent(house):
    house.founded().change(
        "INSERT INTO sync_member (node, node_key, sealing_key, authority_key, joined_ms)"
        " VALUES ('hall', zeroblob(32), zeroblob(32), zeroblob(32), ?)",
        SystemClock().moment().utc_ms,
    )

    seen = house.found()["members home"].seen
    assert "1 member; 1 have not applied epoch 1: hall (epoch 0)" in seen
    assert "not heard of" not in seen


def test_a_member_whose_truth_is_old_is_wrong(house):
    house.sync = {"max_age": "7 d", "when_old": "stop"}
    found = house.founded("member").found()

    assert found["epoch home"].health is Health.ILL
    assert "older than `sync.max_age`; nobody is recognised" in found["epoch home"].seen
    house.change("UPDATE sync_epoch SET alive_ms = ?", SystemClock().moment().utc_ms)
    assert house.found()["epoch home"].health is Health.WELL


@pytest.mark.parametrize(
    ("role", "words"),
    [("split", "another node writes"), ("removed", "was put out"), ("joining", "has run out")],
)
def test_what_this_node_is_and_should_not_be_is_wrong(house, role, words):
    house.founded(role).change("UPDATE sync_membership SET invitation_expires_ms = ?", START_UTC_MS)

    found = house.found()["sync home"]
    assert found.health is Health.ILL
    assert words in found.seen


def test_a_broker_that_refuses_what_sync_needs_is_told_with_the_topic(house):
    house.user = "stranger"

    found = house.founded("member").found()["sync broker"]

    assert found.health is Health.DOUBTFUL
    assert f"writing to edged/device/{NODE}/sync/home/doctor is refused" in found.seen


def test_proposals_that_wait_are_told(house):
    house.founded("member").change(
        "INSERT INTO sync_proposal (identity_id, made_ms, token) VALUES ('x', 1, 'aa')"
    )

    assert "1 proposal of this node without an answer yet" in house.found()["proposals home"].seen


def test_the_brokers_manifest_is_compared_with_the_one_in_force(house, broker):
    house.founded("member")
    with a_store(house.data_dir, seed="look") as store:
        (payload,) = store.connection.execute("SELECT manifest FROM sync_epoch").fetchone()
    topic = SyncTopics("edged", "home").manifest
    retain(broker, topic, payload)
    try:
        assert "the one in force here" in house.found()["sync broker home"].seen
        house.change("UPDATE sync_epoch SET epoch = 2")
        assert "an earlier one than 2" in house.found()["sync broker home"].seen
        house.change("UPDATE sync_epoch SET epoch = 1, manifest = x'00'")
        assert "a split" in house.found()["sync broker home"].seen
        house.change("UPDATE sync_membership SET authority = zeroblob(32)")
        assert "of another authority" in house.found()["sync broker home"].seen
    finally:
        retain(broker, topic, b"")


def test_what_only_the_daemon_knows_of_the_broker_is_told(house):
    house.founded("member")
    word = NamespaceSync("home", SyncRole.MEMBER, SyncState.OFFLINE, trouble="another client has connected")
    with FolderLock(house.data_dir):
        SyncTeller(house.data_dir)(word, SystemClock().moment())
        found = house.found()["told home"]

    assert found.health is Health.DOUBTFUL
    assert "the daemon is `offline`: another client has connected" in found.seen
    assert "told home" not in house.found()


@pytest.mark.parametrize(
    ("term", "words"),
    [
        (raw.of_byte(0x25, 0), "Retain Available 0"),
        (raw.of_byte(0x28, 0), "Wildcard Subscription Available 0"),
        (raw.of_four_bytes(0x27, 200), "Maximum Packet Size"),
    ],
)
def test_a_broker_that_cannot_carry_the_sync_is_wrong(house, term, words):
    def script(visit):
        visit.greet(term)
        visit.serve()

    with RawBroker(script) as broker:
        house.sink["port"] = broker.port
        found = house.founded().found()["sync broker"]

    assert found.health is Health.ILL
    assert words in found.seen
    assert "`sync.broker`" in found.seen
