"""What the check of a synced namespace finds: nothing in a sound one, and each kind of harm by its name."""

import re
import sqlite3
from contextlib import closing

import pytest

from bench.checkout import ROOT
from builders.namespaces import a_new_face, a_store
from builders.sealing import a_key
from builders.syncs import NODE, SEED, an_epoch
from edged.replication.keys import NamespaceKey, NodeKeys, envelope_place
from edged.store.database import open_database
from edged.store.fsck import fsck
from edged.store.namespace_files import NAMESPACE_SCHEMA, namespace_path
from edged.store.sync_fsck import TRIGGERS, digest_findings


def people(store):
    for number, name in enumerate(["Ada", "Bob", "Cleo", "Dan"], 1):
        store.add_identity(name, [a_new_face(number)])


@pytest.fixture(params=["authority", "member"])
def path(tmp_path, request):
    with a_store(tmp_path) as store:
        people(store)
        an_epoch(store, role=request.param)
    return namespace_path(tmp_path, "home")


def harm(path, *statements):
    with closing(sqlite3.connect(path, isolation_level=None)) as plain:
        plain.execute("PRAGMA ignore_check_constraints = ON")
        for statement in statements:
            plain.execute(statement)


def test_nothing_is_found_in_a_sound_namespace(path):
    assert fsck(path) == []


def test_nothing_is_found_in_a_sound_one_that_is_encrypted(tmp_path):
    with a_store(tmp_path, key=a_key()) as store:
        people(store)
        an_epoch(store)

    assert fsck(namespace_path(tmp_path, "home"), a_key()) == []


def test_changes_of_this_node_that_no_epoch_has_yet_are_no_harm(path):
    with a_store(path.parent.parent, seed="later") as store:
        ada, bob, *_ = store.identities()
        store.rename(ada.id, "Ada L.")
        store.remove([bob.id])
        store.add_identity("Eve", [a_new_face(9)])

    assert fsck(path) == []


def test_all_triggers_that_sync_has_are_looked_for():
    sql = (ROOT / "edged" / "store" / "namespace_migrations" / "0007_sync.sql").read_text("utf-8")

    assert set(re.findall(r"^CREATE TRIGGER (\w+)", sql, re.MULTILINE)) == TRIGGERS


HARMS = {
    "DROP TRIGGER face_unwanted": "the trigger face_unwanted is gone",
    "UPDATE sync_membership SET is_applying = 1": "never ended",
    "DELETE FROM sync_membership": "is not synced, and sync_epoch is not empty",
    "UPDATE face SET quality = 0.1": "is not what epoch 1 says, and nobody in it was changed here",
    "UPDATE sync_bucket SET content_hash = zeroblob(32)": "bucket 0 is not what epoch 1 says",
    "INSERT INTO sync_bucket VALUES (9, zeroblob(32))": "1 buckets that epoch 1 does not have",
    "UPDATE sync_epoch SET epoch = 2": "the manifest in force is of epoch 1, the row says 2",
    "UPDATE sync_epoch SET manifest = x'00'": "the manifest of epoch 1 cannot be read",
    """UPDATE sync_epoch SET manifest = CAST(
        replace(CAST(manifest AS TEXT), '"faces":4', '"faces":5') AS BLOB)""": "is not signed",
    "UPDATE sync_epoch SET revision = 99": "of a later revision than the ledger",
    "UPDATE sync_epoch SET erased_epoch = 2": "earlier than the last that took somebody out",
    "DELETE FROM sync_epoch": "there is no epoch in force",
    "INSERT INTO sync_page VALUES (hex(zeroblob(32)), x'00', 0)": "is not what its name says",
    "INSERT INTO sync_change (identity_id, kind, proposal) SELECT id, 'name', 5 FROM identity": (
        "in a proposal that is not there"
    ),
    "INSERT INTO sync_invitation VALUES (zeroblob(32), zeroblob(16), 0, 1)": "another hash than its secret",
    "INSERT INTO sync_member (node, node_key, sealing_key, authority_key, joined_ms, swept_epoch)"
    " VALUES ('hall', zeroblob(32), zeroblob(32), zeroblob(32), 0, 1)": "member hall has cleared up",
    "INSERT INTO sync_proposed (node, number, token, identity_id, at_ms, verdict)"
    " VALUES ('hall', 5, '', printf('%036d', 1), 0, 'waiting')": "proposal hall, 5 wants",
    "UPDATE sync_membership SET role = 'joining'": "its invitation is not there",
}


@pytest.mark.parametrize(("statement", "words"), HARMS.items(), ids=HARMS.values())
def test_harm_is_found(path, statement, words):
    harm(path, statement)

    assert any(words in finding for finding in fsck(path)), fsck(path)


def digest(path, seed=SEED):
    def opened(generation, envelope):
        place = envelope_place("home", NODE, generation)
        return NamespaceKey(NodeKeys(seed).open_envelope(envelope, place), generation)

    with closing(open_database(path, NAMESPACE_SCHEMA, read_only=True)) as connection:
        return digest_findings(connection, opened)


def test_the_whole_is_what_the_manifest_names(path):
    assert digest(path) == []


def test_a_whole_that_is_not_what_the_manifest_names_is_found(path):
    harm(path, "UPDATE sync_bucket SET content_hash = zeroblob(32) WHERE bucket = 3")

    assert digest(path) == ["what is in force is not the content that the manifest of epoch 1 names"]


def test_without_the_right_key_that_is_said(path):
    assert digest(path, bytes(32)) == ["the namespace's key that was sent is not for this node"]
    harm(path, "DELETE FROM sync_key")
    assert "the namespace's key of epoch 1 (generation 1) is not here" in digest(path)


def test_buckets_that_are_to_be_applied_again_are_a_state_and_no_damage(path):
    harm(path, "UPDATE sync_bucket SET content_hash = NULL WHERE bucket = 3")

    assert (digest(path), fsck(path)) == ([], [])
