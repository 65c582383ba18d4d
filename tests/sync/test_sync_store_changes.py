"""What else changes a namespace of a member or an authority, and what becomes of it everywhere else."""

import pytest

from builders.groups import a_grouped_track
from builders.namespaces import (
    MODEL,
    OTHER_EMBEDDER,
    OTHER_MODEL,
    HandClock,
    Ids,
    a_new_face,
    a_store,
    random_unit,
)
from builders.sync_sites import Looks, Site
from edged.domain.errors import ModelError
from edged.domain.kept_time import KeptTime
from edged.domain.moment import Moment
from edged.settings.groups import Groups
from edged.settings.privacy import Chips
from edged.settings.quantities import Duration
from edged.store.archive import export_archive, import_archive
from edged.store.chip_retention import sweep_chips
from edged.store.fsck import fsck
from edged.store.group_records import GroupRecords
from edged.store.group_store import GroupStore
from edged.store.namespace_models import forget_model
from edged.store.retention import Tally

DAY_MS = 86_400_000


@pytest.fixture
def site(tmp_path):
    made = Site(tmp_path)
    made.head.add_identity("Ada", [a_new_face(1, chip=True)])
    made.join()
    yield made
    made.stop()
    assert fsck(made.path("head")) == fsck(made.path("door")) == []


@pytest.fixture
def sharing(tmp_path):
    """An authority that shares crops, with two people of two faces."""
    made = Site(tmp_path, chips=True)
    for number, name in enumerate(["Ada", "Ben"]):
        made.head.add_identity(name, [a_new_face(10 * number + n, chip=True) for n in (1, 2)])
    made.join()
    yield made
    made.stop()
    assert fsck(made.path("head")) == fsck(made.path("door")) == []


def count(store, table):
    return store.connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]


def swept(store, settings, *, utc_ms=None):
    """Retention as the daemon does it, to its end; how many crops went."""
    tally = Tally()
    kept = KeptTime(Moment(0, store.now_ms if utc_ms is None else utc_ms))
    correction = kept.look(Moment(0, store.now_ms if utc_ms is None else utc_ms))
    while sweep_chips(store.connection, settings, correction, tally):
        pass
    return tally.taken["chip"]


# --- changes that are proposals


def test_an_import_at_a_member_is_proposed_and_people_that_were_removed_are_not_brought_back(site, tmp_path):
    (ada,) = site.door.identities()
    with a_store(tmp_path / "elsewhere", seed="elsewhere") as elsewhere:
        elsewhere.add_identity("Eve", [a_new_face(5, chip=True), a_new_face(6)], custom_id="e")
        export_archive(elsewhere, elsewhere.identities(), tmp_path / "eve.zip", namespace="x", utc_ms=1)
    export_archive(site.door, [ada], tmp_path / "ada.zip", namespace="x", utc_ms=1)
    import_archive(site.door, tmp_path / "eve.zip")
    site.broker.run(8)
    assert site.names("head") == ["Ada", "Eve"]
    assert site.content("head") == site.content("door")

    site.head.remove([ada.id])
    site.broker.run(4)
    import_archive(site.door, tmp_path / "ada.zip")
    assert site.names("door") == ["Ada", "Eve"]
    site.broker.run(10)
    assert site.names("head") == site.names("door") == ["Eve"]


def test_an_import_at_the_authority_is_the_next_epoch(site, tmp_path):
    with a_store(tmp_path / "elsewhere", seed="elsewhere") as elsewhere:
        elsewhere.add_identity("Eve", [a_new_face(5)])
        export_archive(elsewhere, elsewhere.identities(), tmp_path / "eve.zip", namespace="x", utc_ms=1)
    epoch = site.broker.manifest.epoch
    import_archive(site.head, tmp_path / "eve.zip")
    site.broker.run(5)
    assert site.broker.manifest.epoch == epoch + 1
    assert site.known("door", MODEL) == {"Ada": 1, "Eve": 1}


def test_an_unknown_person_who_is_named_at_a_member_is_known_everywhere(site):
    records = GroupRecords(site.folder / "door", ["home"], Groups(), HandClock(), Ids("groups"))
    records.record([("home", a_grouped_track(1, person=7, faces=2, chips=True))])
    records.close()
    groups = GroupStore(site.door)
    (group,) = groups.groups()
    groups.enrol(group, [face.number for face in groups.faces_of(group)], name="Eve")
    site.broker.run(8)
    assert site.known("head", MODEL) == {"Ada": 1, "Eve": 2}
    assert site.content("head") == site.content("door")


# --- changes that are none


@pytest.mark.parametrize("node", ["head", "door"])
def test_what_another_embedder_makes_of_the_faces_is_nobodys_business(site, node):
    store = site.head if node == "head" else site.door
    epoch, pages = site.broker.manifest.epoch, len(site.broker.log)
    (ada,) = store.identities()
    (face,) = store.face_records(ada.id)
    store.add_embeddings(OTHER_MODEL, [(face.id, random_unit(9))])
    site.broker.run(10)

    assert count(site.door, "sync_change") == 0
    assert site.broker.manifest.epoch == epoch
    assert not [topic for topic, _ in site.broker.log[pages:] if "/page/" in topic or "/proposal" in topic]
    assert site.content("head") == site.content("door")


def test_a_member_does_not_forget_the_embedder_of_the_namespace_and_the_authority_may(site):
    with pytest.raises(ModelError, match="is of this model"):
        forget_model(site.door, MODEL)
    assert site.known("door", MODEL) == {"Ada": 1}
    (ada,) = site.head.identities()
    (face,) = site.head.face_records(ada.id)
    site.head.add_embeddings(OTHER_MODEL, [(face.id, random_unit(9))])
    site.again(head=Looks(OTHER_EMBEDDER), door=Looks(OTHER_EMBEDDER))
    assert site.known("door", OTHER_MODEL) == {"Ada": 1}

    assert forget_model(site.door, MODEL).embeddings == 1
    assert forget_model(site.head, MODEL).embeddings == 1
    site.broker.run(5)
    assert site.content("head", OTHER_MODEL) == site.content("door", OTHER_MODEL)


# --- crops


def test_crops_that_the_authority_lets_go_of_go_everywhere(sharing):
    assert sharing.content("head", with_chips=True) == sharing.content("door", with_chips=True)
    assert count(sharing.door, "chip") == 4
    epoch = sharing.broker.manifest.epoch

    assert swept(sharing.head, Chips(keep=False)) == 4
    sharing.broker.run(5)

    assert sharing.broker.manifest.epoch == epoch + 1
    assert count(sharing.door, "chip") == 0
    assert sharing.known("door", MODEL) == {"Ada": 2, "Ben": 2}


def test_a_member_keeps_the_crops_that_its_epoch_consists_of(sharing):
    assert swept(sharing.door, Chips(keep=False)) == 0
    assert swept(sharing.door, Chips(max_age=Duration(1)), utc_ms=sharing.door.now_ms + 100 * DAY_MS) == 0
    assert fsck(sharing.path("door")) == []
    sharing.head.rename(sharing.head.find("Ada").id, "Ada L.")
    sharing.broker.run(5)
    assert sharing.content("head", with_chips=True) == sharing.content("door", with_chips=True)


def test_crops_that_are_not_shared_are_a_members_own_to_keep_or_not(site):
    site.door.add_identity("Eve", [a_new_face(5, chip=True)])
    site.broker.run(8)
    assert count(site.door, "chip") == 1
    assert swept(site.door, Chips(keep=False)) == 1
    assert site.content("head") == site.content("door")


def test_a_time_that_a_wrong_clock_wrote_is_put_right_by_the_authority_alone(site):
    """A face's time is in the epoch: of a member's own accord it would not be what the epoch says."""
    site.head.connection.execute("UPDATE face SET created_ms = 5")
    site.head.rename(site.head.identities()[0].id, "Ada L.")
    site.broker.run(5)
    limits, later_ms = Chips(max_age=Duration(86400)), site.door.now_ms + 10
    door_chip = a_new_face(5, chip=True)
    site.door.add_faces(site.door.identities()[0].id, [door_chip])
    site.broker.run(8)
    assert swept(site.door, limits, utc_ms=later_ms) == 0
    assert site.content("head") == site.content("door")
    epoch = site.broker.manifest.epoch

    assert swept(site.head, limits, utc_ms=later_ms) == 0
    site.broker.run(5)
    assert site.broker.manifest.epoch == epoch + 1
    assert site.head.connection.execute("SELECT min(created_ms) FROM face").fetchone()[0] > 5
    assert site.content("head") == site.content("door")
