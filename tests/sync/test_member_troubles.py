"""A member whose epoch, disk or database is not as it should be says so, applies nothing, and heals."""

import hashlib

import pytest

from builders.namespaces import a_store
from builders.sync import AnAuthority, OneNode, a_person, be_member, node_parts
from edged.domain.errors import StoreError
from edged.domain.sync_state import SyncState
from edged.replication.keys import NamespaceKey
from edged.sync.member import Member

AUTHORITY = AnAuthority()
TOPICS = AUTHORITY.topics
PEOPLE = [a_person(n) for n in range(6)]


class Site(OneNode):
    """A member that has epoch 1 in force; its database and its sweeps fail where a test says so."""

    def __init__(self, folder):
        super().__init__(a_store(folder, seed="look"))
        self.fault = ""
        self.left = []
        self.folder = folder
        self.parts = node_parts(folder, open_store=self._opened, swept=lambda _: list(self.left))
        be_member(self.store, AUTHORITY, self.parts)
        self.broker.keep(AUTHORITY.epoch(1, PEOPLE), TOPICS)
        self.start(Member(self.parts))
        self.run(5)

    def _opened(self):
        if self.fault:
            raise StoreError(self.fault)
        return a_store(self.folder, seed="member")

    @property
    def names(self):
        return sorted(person.name for person in self.store.identities())


@pytest.fixture
def site(tmp_path):
    made = Site(tmp_path)
    yield made
    made.close()


def test_an_epoch_that_does_not_come_out_as_it_says_is_tried_ever_later_and_a_right_one_heals(site):
    before = site.names
    site.publish(AUTHORITY.epoch(2, PEOPLE[:2], content=hashlib.sha256(b"other").hexdigest()), TOPICS)
    site.run(5)
    assert (site.standing.epoch, site.names) == (1, before)
    assert site.standing.state is SyncState.UNTRUSTED
    assert "its hash differs" in site.standing.trouble
    requests = site.standing.page_requests
    site.run(120)
    # Each page may be another one by now: they are asked for anew, a few times.
    assert requests < site.standing.page_requests < requests + 60
    site.publish(AUTHORITY.epoch(3, PEOPLE[:2]), TOPICS)
    site.run(5)
    assert (site.standing.epoch, site.standing.state) == (3, SyncState.IN_STEP)
    assert (site.standing.trouble, len(site.names)) == ("", 2)


def test_pages_that_somebody_deleted_before_they_were_applied_are_fetched_again(site):
    rotated = AnAuthority(key=NamespaceKey(b"k" * 32, 2))
    site.publish(rotated.epoch(2, PEOPLE[:3]), TOPICS)
    site.run(5)
    assert site.standing.state is SyncState.NO_KEY
    site.store.connection.execute("DELETE FROM sync_page")
    site.hear(TOPICS.member("porch"), rotated.told("porch", site.parts.keys))
    site.run(5)
    assert (site.standing.epoch, len(site.names)) == (2, 3)


def test_a_database_that_cannot_be_opened_is_told_and_tried_again(site):
    site.engine.close()
    site.fault = "the disk is full"
    site.run(2)
    assert site.standing.state is SyncState.FAULTY
    assert "the disk is full" in site.standing.trouble
    site.publish(AUTHORITY.epoch(2, PEOPLE[:4]), TOPICS)
    site.run(20)
    assert len(site.names) == 6
    site.fault = ""
    site.run(30)
    assert (site.standing.epoch, site.standing.state, len(site.names)) == (2, SyncState.IN_STEP, 4)


def test_traces_that_cannot_be_cleared_are_told_and_no_receipt_is_given_until_they_are(site):
    site.left = ["another program reads"]
    site.publish(AUTHORITY.epoch(2, PEOPLE[:5]), TOPICS)
    site.run(10)
    swept = "SELECT swept_epoch, epoch FROM sync_epoch"
    assert site.store.connection.execute(swept).fetchone() == (1, 2)
    assert "another program reads" in site.standing.trouble
    site.left = []
    site.run(10)
    assert site.store.connection.execute(swept).fetchone() == (2, 2)
    assert site.standing.trouble == ""
