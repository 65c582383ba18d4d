"""When a change of a member's own is sent again."""

import pytest

from builders.namespaces import HandClock, a_new_face, a_store
from builders.sync import ABroker, AnAuthority, a_person, be_member, node_parts
from edged.replication.keys import NamespaceKey
from edged.sync.member import Member

PEOPLE = [a_person(n) for n in range(3)]


class Site:
    """A member in step, whose authority does not answer."""

    def __init__(self, folder):
        self.authority, self.clock, self.broker = AnAuthority(), HandClock(), ABroker()
        self.epoch = self.authority.epoch(1, PEOPLE)
        self.parts = node_parts(folder)
        self.store = a_store(folder, seed="command")
        be_member(self.store, self.authority, self.parts)
        self.member = Member(self.parts)
        self.broker.keep(self.epoch, self.authority.topics)
        self.broker.connect(self.member, self.clock.moment())
        self.run(5)
        self.store.add_identity("Dora", [a_new_face(1)])

    def run(self, seconds):
        self.broker.run(self.member, self.clock, turns=int(seconds * 4))

    @property
    def proposals(self):
        topic = self.authority.topics.proposal("porch")
        return sum(each == topic for each, _ in self.broker.sent)

    def say_alive(self):
        topic = self.authority.topics.alive
        self.broker.retained[topic] = self.authority.alive(self.epoch, at=self.clock.moment().utc_ms)
        self.broker.say(self.member, topic, self.clock.moment())

    def close(self):
        self.member.close()
        self.store.close()


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
    site.broker.retained[site.authority.topics.member("porch")] = rotated.told("porch", site.parts.keys)
    site.broker.say(site.member, site.authority.topics.member("porch"), site.clock.moment())
    site.broker.keep(rotated.epoch(2, PEOPLE), site.authority.topics)
    site.broker.say(site.member, site.authority.topics.manifest, site.clock.moment())
    site.run(4)
    assert site.proposals == before + 1
