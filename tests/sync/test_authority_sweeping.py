"""After a removal the authority clears log and snapshots, before it says that they are clear."""

from dataclasses import replace

from builders.authorities import Broker, found_at, parts_of_node
from builders.namespaces import a_new_face
from edged.store.sync_records import epoch_record
from edged.sync.authority import Authority


class Site:
    """An authority with some people, and what its sweeps leave."""

    def __init__(self, folder):
        self.broker = Broker()
        self.left = []
        self.sweeps = 0
        parts = replace(parts_of_node(folder, clock=self.broker.clock), swept=self._swept)
        found_at(parts)
        self.store = parts.open_store()
        self.people = [self.store.add_identity(f"Person {n}", [a_new_face(n)]).id for n in range(4)]
        self.authority = Authority(parts)
        self.broker.connect(self.authority)
        self.broker.run(5)

    def _swept(self, _store):
        self.sweeps += 1
        return list(self.left)

    def remove_one(self):
        self.store.remove([self.people.pop()])

    @property
    def swept(self):
        record = epoch_record(self.store.connection)
        return record.erased_epoch > 0 and record.swept_epoch >= record.erased_epoch

    def close(self):
        self.authority.close()
        self.store.close()


def test_one_removal_after_the_other_is_swept_without_a_wait(tmp_path):
    site = Site(tmp_path)
    for number in range(1, 4):
        site.remove_one()
        site.broker.run(3)
        assert site.swept
        assert site.sweeps == number
    site.close()


def test_a_sweep_that_leaves_something_is_done_again_and_told_until_then(tmp_path):
    site = Site(tmp_path)
    site.left = ["another program reads"]
    site.remove_one()
    site.broker.run(20)
    assert not site.swept
    assert 2 <= site.sweeps <= 5
    assert "another program reads" in site.authority.standing(site.broker.now).trouble
    site.left = []
    site.broker.run(6)
    assert site.swept
    assert site.authority.standing(site.broker.now).trouble == ""
    site.close()
