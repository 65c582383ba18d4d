"""A node that was invited: whom it believes, and how often it asks."""

from dataclasses import replace

import pytest

from builders.namespaces import START_UTC_MS, a_store
from builders.sync import AnAuthority, OneNode, a_seed, node_parts
from edged.domain.errors import StoreError
from edged.domain.sync_state import SyncRole, SyncState
from edged.replication.invitation import is_proved
from edged.replication.keys import NodeKeys
from edged.replication.statement import StatementKind, taken_apart
from edged.replication.statements import Join
from edged.store.database import transaction
from edged.store.sync_records import envelopes, membership
from edged.sync.joining import Joining

AUTHORITY = AnAuthority()
SECRET = bytes(range(16))
KEYS = NodeKeys(a_seed("porch"))
HOUR_MS = 3_600_000


class Site(OneNode):
    """A node with an invitation."""

    def __init__(self, folder):
        super().__init__(a_store(folder, seed="command"))
        with transaction(self.store.connection) as connection:
            connection.execute(
                "INSERT INTO sync_membership (only_row, role, node, authority, invitation,"
                " invitation_expires_ms, since_ms) VALUES (1, 'joining', 'porch', ?, ?, ?, 1)",
                (AUTHORITY.public, SECRET, START_UTC_MS + HOUR_MS),
            )
        self.start(Joining(node_parts(folder)))

    def tell(self, payload):
        self.hear(AUTHORITY.topics.member("porch"), payload)

    @property
    def asked(self):
        return [payload for topic, payload in self.broker.sent if topic == AUTHORITY.topics.join("porch")]

    @property
    def row(self):
        return membership(self.store.connection)


@pytest.fixture
def site(tmp_path):
    made = Site(tmp_path)
    yield made
    made.close()


def test_it_asks_at_once_with_its_keys_and_proves_the_invitation(site):
    site.run(0.5)
    (payload,) = site.asked
    statement = taken_apart(StatementKind.JOIN, payload)
    said = statement.body(Join)
    assert statement.is_by(KEYS.node.public)
    assert is_proved(SECRET, said)
    assert SECRET.hex().encode() not in payload
    assert (said.node, said.sealing_key) == ("porch", KEYS.sealing_public.hex())
    assert site.standing.state is SyncState.WAITING


def test_it_asks_again_ever_later_and_at_once_on_a_new_connection(site):
    site.run(60)
    assert 3 <= len(site.asked) <= 6
    before = len(site.asked)
    site.engine.disconnected(site.clock.moment())
    site.run(120)
    assert len(site.asked) == before
    site.start(site.engine)
    site.run(0.5)
    assert len(site.asked) == before + 1


def test_with_the_word_of_the_invited_authority_it_is_a_member_and_asks_no_more(site):
    site.run(1)
    site.tell(AUTHORITY.told("porch", KEYS))
    assert site.row.role is SyncRole.MEMBER
    assert site.row.invitation is None
    assert list(envelopes(site.store.connection)) == [1]
    before = len(site.asked)
    site.run(120)
    assert len(site.asked) == before


STRANGER = AnAuthority("stranger")
OTHER_CARD = NodeKeys(a_seed("another card"))


@pytest.mark.parametrize(
    ("payload", "why"),
    [
        (STRANGER.told("porch", KEYS), "unsigned"),
        (AUTHORITY.told("porch", KEYS)[:-20], "unsigned"),
        (b"junk", "unsigned"),
        (AnAuthority(namespace="office").told("porch", KEYS), "other namespace"),
        (AUTHORITY.told("cellar", KEYS), "stranger"),
        (AUTHORITY.told("porch", OTHER_CARD), "stranger"),
        (AUTHORITY.told("porch", KEYS, envelope="no hex"), "malformed"),
        (AUTHORITY.told("porch", KEYS, envelope=""), None),
        (AUTHORITY.told("porch", KEYS, envelope=AUTHORITY.envelope("porch", OTHER_CARD).hex()), None),
        (AUTHORITY.told("porch", KEYS, key_generation=2), None),
    ],
)
def test_whatever_else_comes_it_goes_on_asking(site, payload, why):
    site.tell(payload)
    assert site.row.role is SyncRole.JOINING
    assert envelopes(site.store.connection) == {}
    assert sum(site.standing.refused.values()) == 1
    assert why is None or site.standing.refused == {why: 1}
    site.run(1)
    assert site.asked


def test_that_it_was_put_out_before_is_no_answer(site):
    site.tell(AUTHORITY.told("porch", KEYS, state="removed", envelope=""))
    assert site.row.role is SyncRole.JOINING
    assert site.standing.refused == {}


def test_an_invitation_that_has_run_out_is_not_used_and_says_what_to_do(site):
    site.clock.ms += HOUR_MS
    site.run(120)
    assert site.asked == []
    assert "edged sync invite" in site.standing.trouble
    assert "edged sync leave" in site.standing.trouble


def test_once_it_is_something_else_by_a_command_it_neither_asks_nor_listens(site):
    site.store.connection.execute("DELETE FROM sync_membership")
    site.run(10)
    site.tell(AUTHORITY.told("porch", KEYS))
    assert site.asked == []
    assert site.row is None


def test_without_its_secret_it_cannot_join(tmp_path):
    with pytest.raises(StoreError, match="secret"):
        Joining(replace(node_parts(tmp_path), keys=None))
