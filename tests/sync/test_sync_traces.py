"""Nothing of somebody who is forgotten is left in any file of the authority or of a member."""

import pytest

from builders.namespaces import a_new_face, raw_bytes
from builders.sync_sites import Site
from edged.store.sync_decisions import refuse, waiting_proposals

FACE, MORE = a_new_face(7, chip=True), a_new_face(8, chip=True)
NAME = "Eileen Collins of the shuttle"
TRACES = [NAME.encode(), *(face.embedding.tobytes()[40:104] for face in (FACE, MORE))]


def left(site):
    """Which traces are in which node's files, all of them closed."""
    found = {}
    for node in ("head", "door"):
        content = raw_bytes(site.folder / node)
        found[node] = [number for number, trace in enumerate(TRACES) if trace in content]
    return found


@pytest.fixture(params=["auto", "ask"])
def site(tmp_path, request):
    made = Site(tmp_path, proposals=request.param, chips=True)
    made.head.add_identity("Ada", [a_new_face(1, chip=True)])
    made.join()
    yield made
    made.stop()


def test_the_test_sees_somebody_who_is_there(site):
    site.head.add_identity(NAME, [FACE, MORE])
    site.broker.run(5)
    site.stop()
    assert left(site) == {"head": [0, 1, 2], "door": [0, 1, 2]}
    site._open()


@pytest.mark.parametrize("where", ["head", "door"])
def test_somebody_who_is_erased_at_either_is_gone_from_both(site, where):
    eileen = site.head.add_identity(NAME, [FACE])
    site.broker.run(5)
    # What a member wants more of them may wait for the owner.
    site.door.add_faces(eileen.id, [MORE])
    site.door.snapshots.take(site.door.connection, site.door.now_ms)
    site.head.snapshots.take(site.head.connection, site.head.now_ms)
    site.broker.run(5)
    (site.head if where == "head" else site.door).remove([eileen.id])
    site.broker.run(10)
    if where == "door" and waiting_proposals(site.head.connection):
        (waiting,) = waiting_proposals(site.head.connection)
        assert waiting.parts[-1].remove, "the owner is asked; nothing more of them waits"
        site.head.remove([eileen.id])
        site.broker.run(10)
    site.stop()
    assert left(site) == {"head": [], "door": []}
    site._open()


def test_somebody_who_was_never_taken_leaves_nothing_at_the_authority(tmp_path):
    site = Site(tmp_path, proposals="ask", chips=True)
    site.join()
    eileen = site.door.add_identity(NAME, [FACE, MORE])
    site.broker.run(5)
    assert len(waiting_proposals(site.head.connection)) == 1
    site.head.snapshots.take(site.head.connection, site.head.now_ms)
    # Another program holds neither log nor file open for longer than it reads.
    site.door.remove([eileen.id])
    site.broker.run(20)
    (waiting,) = waiting_proposals(site.head.connection)
    assert waiting.parts[-1].remove
    # Not even while it runs: what was there is not in the log any more.
    assert not any(trace in site.path("head").with_name("home.db-wal").read_bytes() for trace in TRACES)
    site.stop()
    assert left(site) == {"head": [], "door": []}


def test_what_the_owner_refuses_leaves_nothing_at_either(tmp_path):
    site = Site(tmp_path, proposals="ask", chips=True)
    site.join()
    site.door.add_identity(NAME, [FACE, MORE])
    site.broker.run(5)
    (waiting,) = waiting_proposals(site.head.connection)
    refuse(site.head, waiting.node, waiting.number)
    assert list(site.head.swept_log()) == []
    site.broker.run(10)
    assert site.names("door") == []
    site.stop()
    assert left(site) == {"head": [], "door": []}


def test_pages_that_wait_for_the_others_of_their_epoch_are_sealed_and_go_with_the_next(site):
    eileen = site.head.add_identity(NAME, [FACE, MORE])
    site.broker.disconnect(site.door_engine)
    site.broker.run(5)
    topics = site.parts("door").topics
    pages = [
        (entry.sha256, site.broker.retained[topics.page(entry.sha256)])
        for entry in site.broker.manifest.pages
    ]
    site.door.connection.executemany("INSERT INTO sync_page VALUES (?, ?, 1)", pages)
    site.head.remove([eileen.id])
    site.broker.connect(site.door_engine)
    site.broker.run(10)
    assert site.door.connection.execute("SELECT count(*) FROM sync_page").fetchone() == (0,)
    site.stop()
    assert left(site) == {"head": [], "door": []}
    site._open()
