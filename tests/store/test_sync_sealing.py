"""What waits for the owner has faces in it: it is sealed as the rest is, and exchanged with it."""

import sqlite3
from contextlib import closing

import msgspec
import pytest

from builders.namespaces import EMBEDDER, MODEL, a_new_face, raw_bytes
from builders.sealing import a_key
from builders.sync_sites import Looks, Site
from edged.domain.errors import StoreError
from edged.store.fsck import fsck
from edged.store.resealing import reseal, sweep_copies
from edged.store.sync_decisions import accept, waiting_proposals

FACE = a_new_face(7, chip=True)
PIECE = FACE.embedding.tobytes()[:32]


def with_one_waiting(folder, key):
    """Ada was proposed at the door, and waits."""
    site = Site(folder, Looks(key=key), Looks(key=key), proposals="ask", chips=True)
    site.join()
    site.door.add_identity("Ada", [FACE])
    site.broker.run(5)
    (waiting,) = waiting_proposals(site.head.connection)
    assert waiting.faces == 1
    return site


def exchanged(site, old, new):
    """Both databases go over to another key, as `edged privacy` does it, and everything starts anew."""
    site.stop()
    done = []
    for node in ("head", "door"):
        site.looks[node] = Looks(key=old or new)
        with site.parts(node).open_store() as store:
            done.append(reseal(store, new).blobs)
            assert list(sweep_copies(store)) == []
        site.looks[node] = Looks(key=new)
    assert fsck(site.path("head"), new) == []
    assert fsck(site.path("door"), new) == []
    site._open()
    site.start()
    site.broker.run(5)
    return done


@pytest.mark.parametrize(
    ("old", "new"), [(None, a_key()), (a_key(), None), (a_key(), a_key(2))], ids=["seal", "open", "rotate"]
)
def test_a_proposal_waits_through_a_change_of_the_key_and_can_be_accepted(tmp_path, old, new):
    site = with_one_waiting(tmp_path, old)
    try:
        blobs_of_head, _ = exchanged(site, old, new)
        assert blobs_of_head == 1
        (waiting,) = waiting_proposals(site.head.connection)
        assert accept(site.head, waiting.node, waiting.number, EMBEDDER).has_changed
        site.broker.run(10)

        assert site.known("head", MODEL) == {"Ada": 1}
        assert site.known("door", MODEL) == {"Ada": 1}
        assert site.content("head", with_chips=True) == site.content("door", with_chips=True)
    finally:
        site.stop()
    assert fsck(site.path("head"), new) == []
    assert fsck(site.path("door"), new) == []


def test_what_waits_in_an_encrypted_database_lies_nowhere_readable(tmp_path):
    site = with_one_waiting(tmp_path, a_key())
    site.stop()
    assert PIECE not in raw_bytes(tmp_path)

    with_one_waiting(tmp_path / "plain", None).stop()
    assert PIECE in raw_bytes(tmp_path / "plain" / "head"), "the test would see it"


def test_a_plain_database_with_something_that_waits_is_not_taken_for_an_empty_one(tmp_path):
    site = with_one_waiting(tmp_path, None)
    site.stop()
    with Site.parts(site, "head").open_store() as store:
        assert store.connection.execute("SELECT count(*) FROM face").fetchone() == (0,)
    site.looks["head"] = Looks(key=a_key())

    with site.parts("head").open_store() as store:
        assert store.connection.execute("SELECT salt IS NULL FROM sealing").fetchone() == (1,)
        assert len(waiting_proposals(store.connection)) == 1


@pytest.mark.parametrize("harm", ["altered", "moved", "senseless"])
def test_a_damaged_one_is_found_and_may_be_discarded_for_its_node_sends_it_again(tmp_path, harm):
    key = None if harm == "senseless" else a_key()
    site = with_one_waiting(tmp_path, key)
    site.stop()
    with closing(sqlite3.connect(site.path("head"))) as connection, connection:
        ((blob,),) = connection.execute("SELECT wanted FROM sync_proposed").fetchall()
        if harm == "moved":
            connection.execute("UPDATE sync_proposed SET number = number + 1")
        else:
            worse = msgspec.msgpack.encode("words") if key is None else blob[:-1] + bytes([blob[-1] ^ 1])
            connection.execute("UPDATE sync_proposed SET wanted = ?", (worse,))

    (found,) = fsck(site.path("head"), key)
    assert "the proposal of door, " in found
    if key is None:
        return
    with site.parts("head").open_store() as store:
        with pytest.raises(StoreError, match=r"altered|does not open"):
            reseal(store, a_key(2))
        assert reseal(store, a_key(2), may_discard=True).discarded == 1
    site.looks["head"] = Looks(key=a_key(2))
    site._open()
    site.start()
    site.broker.run(30)
    assert len(waiting_proposals(site.head.connection)) == 1
    site.stop()
