"""Members with another embedder than the authority's: with crops they embed everybody themselves."""

import pytest

from builders.model_changes import MeanColours
from builders.namespaces import EMBEDDER, MODEL, OTHER_EMBEDDER, OTHER_MODEL, random_chip
from builders.sync_sites import Looks, Site
from edged.app import sync_status as status
from edged.domain.identity import NewFace
from edged.domain.sync_state import SyncState
from edged.replication.statement import StatementKind, taken_apart
from edged.replication.statements import Report
from edged.store.fsck import fsck
from edged.store.sync_decisions import accept, waiting_proposals


def a_face(number, model=MODEL):
    """A face with its crop, as an embedder made it."""
    chip = random_chip(number)
    return NewFace(model, MeanColours(model).embed(chip), chip, 0.75, "portrait.jpg")


def embedding(model):
    """Embeds at once, what the daemon does in the background."""
    embedder = MeanColours(model)

    def reembed(store):
        faces = [(face_id, embedder.embed(chip)) for face_id, chip in store.chips_without(model)]
        if faces:
            store.add_embeddings(model, faces)

    return reembed


OTHER = Looks(OTHER_EMBEDDER, embedding(OTHER_MODEL))


def a_site(folder, *, chips, door=OTHER, **terms):
    site = Site(folder, Looks(EMBEDDER, embedding(MODEL)), door, chips=chips, **terms)
    site.head.add_identity("Ada", [a_face(1), a_face(2)])
    site.join()
    return site


@pytest.fixture
def sharing(tmp_path):
    made = a_site(tmp_path, chips=True)
    yield made
    made.stop()
    assert fsck(made.path("head")) == fsck(made.path("door")) == []


def last_report(site):
    topic = site.parts("door").topics.report("door")
    return taken_apart(StatementKind.REPORT, site.broker.retained[topic]).body(Report)


def test_with_crops_everybody_is_known_to_the_other_embedder(sharing):
    assert sharing.known("door", OTHER_MODEL) == {"Ada": 2}
    assert sharing.standing("door").state is SyncState.IN_STEP
    report = last_report(sharing)
    assert (report.state, report.model, report.epoch) == (
        "in step",
        OTHER_MODEL,
        sharing.broker.manifest.epoch,
    )

    sharing.head.add_faces(sharing.head.find("Ada").id, [a_face(3)])
    sharing.head.add_identity("Ben", [a_face(4)])
    sharing.broker.run(5)
    assert sharing.known("door", OTHER_MODEL) == {"Ada": 3, "Ben": 1}
    sharing.head.remove([sharing.head.find("Ada").id])
    sharing.broker.run(5)
    assert sharing.known("door", OTHER_MODEL) == {"Ben": 1}


def test_what_is_in_force_is_still_proven_by_what_the_authoritys_embedder_made(sharing):
    assert sharing.content("door", MODEL, with_chips=True) == sharing.content("head", MODEL, with_chips=True)
    (ada,) = sharing.door.identities()
    face = next(sharing.door.face_records(ada.id))
    sharing.door.connection.execute(
        "UPDATE embedding SET vector = (SELECT vector FROM embedding WHERE model_hash = ?1"
        " ORDER BY face DESC) WHERE model_hash = ?1 AND face = (SELECT number FROM face WHERE id = ?2)",
        (MODEL, face.id),
    )
    sharing.stop()
    # Whoever embeds anew changes people of its own accord, which hides nothing once they are in an epoch.
    site = sharing
    with site.parts("door").open_store() as store:
        store.connection.execute("UPDATE sync_epoch SET revision = (SELECT revision FROM ledger)")
    assert any("is not what epoch" in words for words in fsck(site.path("door")))
    with site.parts("door").open_store() as store:
        store.connection.execute("UPDATE sync_bucket SET content_hash = NULL")
    site._open()
    site.start()
    site.broker.run(5)
    assert site.content("door", MODEL, with_chips=True) == site.content("head", MODEL, with_chips=True)
    assert site.known("door", OTHER_MODEL) == {"Ada": 2}


def test_a_face_whose_crop_is_another_one_is_embedded_again(sharing):
    before = sharing.door.changes_since(0, OTHER_MODEL).changed[0].embeddings.copy()
    ((png,),) = sharing.head.connection.execute("SELECT png FROM chip ORDER BY face DESC LIMIT 1").fetchall()
    sharing.head.connection.execute("UPDATE chip SET png = ?", (png,))
    sharing.head.rename(sharing.head.find("Ada").id, "Ada L.")
    sharing.broker.run(5)

    after = sharing.door.changes_since(0, OTHER_MODEL).changed[0].embeddings
    assert (after[0] == after[1]).all()
    assert not (before[0] == before[1]).all()


def test_who_is_enrolled_at_such_a_member_is_known_to_all(sharing):
    sharing.door.add_identity("Eve", [a_face(5, OTHER_MODEL)])
    sharing.broker.run(10)
    assert sharing.known("head", MODEL) == {"Ada": 2, "Eve": 1}
    assert sharing.known("door", OTHER_MODEL) == {"Ada": 2, "Eve": 1}
    assert sharing.content("head", with_chips=True) == sharing.content("door", with_chips=True)


def test_the_owner_may_take_what_such_a_member_proposes(tmp_path):
    site = a_site(tmp_path, chips=True, proposals="ask")
    site.door.add_identity("Eve", [a_face(5, OTHER_MODEL)])
    site.broker.run(5)
    (waiting,) = waiting_proposals(site.head.connection)
    outcome = accept(site.head, waiting.node, waiting.number, EMBEDDER)
    assert outcome.lacks_vectors, "whoever asked for it embeds it"
    embedding(MODEL)(site.head)
    site.broker.run(10)
    assert site.known("head", MODEL) == {"Ada": 2, "Eve": 1}
    assert site.known("door", OTHER_MODEL) == {"Ada": 2, "Eve": 1}
    site.stop()


def test_without_crops_nothing_is_applied_and_it_says_what_to_do(tmp_path):
    site = a_site(tmp_path, chips=False)
    standing = site.standing("door")
    assert (standing.state, standing.epoch) == (SyncState.OTHER_MODEL, 0)
    assert "Use the same model on all nodes, or share crops" in standing.trouble
    assert site.names("door") == []
    assert last_report(site).state == "other model"
    at_the_authority = status.standing(site.head.connection, "home", site.head.now_ms)
    assert at_the_authority is not None
    assert "another embedder: door: `edged models use` the same one there" in at_the_authority.trouble[0]

    # `edged models use` at the member, and a new start of it.
    site.again(door=Looks(EMBEDDER))
    assert site.standing("door").state is SyncState.IN_STEP
    assert site.known("door", MODEL) == {"Ada": 2}
    assert fsck(site.path("door")) == []
    site.stop()


@pytest.mark.parametrize("chips", [False, True])
def test_a_member_that_goes_over_to_another_embedder_says_whether_it_recognises_anybody(tmp_path, chips):
    """The epoch is in force already: it does not come again, and must not be taken for all there is."""
    site = a_site(tmp_path, chips=chips, door=Looks(EMBEDDER))
    assert site.standing("door").state is SyncState.IN_STEP
    if chips:
        embedding(OTHER_MODEL)(site.door)
    site.again(door=OTHER)

    expected = SyncState.IN_STEP if chips else SyncState.OTHER_MODEL
    assert site.standing("door").state is expected
    assert last_report(site).state == expected
    assert site.known("door", OTHER_MODEL) == ({"Ada": 2} if chips else {})
    site.again(door=Looks(EMBEDDER))
    assert site.standing("door").state is SyncState.IN_STEP
    assert site.known("door", MODEL) == {"Ada": 2}
    site.stop()


def test_the_authority_goes_over_to_the_members_embedder_and_everything_is_in_step(sharing):
    epoch = sharing.broker.manifest.epoch
    embedding(OTHER_MODEL)(sharing.head)
    sharing.broker.run(5)
    assert sharing.broker.manifest.epoch == epoch, "it still recognises with the one before"
    sharing.again(head=OTHER)

    assert sharing.broker.manifest.model == OTHER_MODEL
    assert sharing.broker.manifest.epoch == epoch + 1
    assert sharing.standing("door").state is SyncState.IN_STEP
    assert sharing.content("head", OTHER_MODEL) == sharing.content("door", OTHER_MODEL)
    assert sharing.known("door", OTHER_MODEL) == {"Ada": 2}


def test_crops_that_are_shared_from_now_on_end_the_difference(tmp_path):
    site = a_site(tmp_path, chips=False)
    assert site.standing("door").state is SyncState.OTHER_MODEL
    site.terms["chips"] = True
    site.again()
    assert site.standing("door").state is SyncState.IN_STEP
    assert site.known("door", OTHER_MODEL) == {"Ada": 2}
    site.stop()
