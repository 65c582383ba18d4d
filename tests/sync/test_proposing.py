"""When a change of a member's own is sent again."""

import pytest

from builders.namespaces import a_new_face, a_store
from builders.sync import AnAuthority, OneNode, a_person, be_member, node_parts
from edged.replication.keys import NamespaceKey
from edged.sync.member import Member

PEOPLE = [a_person(n) for n in range(3)]


class Site(OneNode):
    """A member in step, whose authority does not answer."""

    def __init__(self, folder):
        super().__init__(a_store(folder, seed="command"))
        self.authority = AnAuthority()
        self.epoch = self.authority.epoch(1, PEOPLE)
        self.parts = node_parts(folder)
        be_member(self.store, self.authority, self.parts)
        self.broker.keep(self.epoch, self.authority.topics)
        self.start(Member(self.parts))
        self.run(5)
        self.store.add_identity("Dora", [a_new_face(1)])

    @property
    def proposals(self):
        topic = self.authority.topics.proposal("porch")
        return sum(each == topic for each, _ in self.broker.sent)

    def say_alive(self):
        at_ms = self.clock.moment().utc_ms
        self.hear(self.authority.topics.alive, self.authority.alive(self.epoch, at=at_ms))


@pytest.fixture
def site(tmp_path):
    made = Site(tmp_path)
    yield made
    made.close()


def test_without_an_answer_it_is_sent_again_ever_later(site):
    site.run(10)
    assert site.proposals == 1
    site.run(15)
    assert site.proposals == 2
    site.run(25)
    assert site.proposals == 2


def test_it_is_sent_again_soon_after_the_authority_was_heard_which_may_have_been_away(site):
    site.run(120)
    before = site.proposals
    site.say_alive()
    site.run(0.5)
    assert site.proposals == before
    site.run(1.5)
    assert site.proposals == before + 1
    site.run(5)
    assert site.proposals == before + 1


def test_it_is_sent_again_soon_after_the_key_was_changed_which_it_was_sealed_with(site):
    site.run(5)
    before = site.proposals
    rotated = AnAuthority(key=NamespaceKey(b"k" * 32, 2))
    site.hear(rotated.topics.member("porch"), rotated.told("porch", site.parts.keys))
    site.publish(rotated.epoch(2, PEOPLE), rotated.topics)
    site.run(4)
    assert site.proposals == before + 1
