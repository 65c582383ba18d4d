"""Copies of a namespace: when they are made, how many are kept, and whom they must not keep."""

import stat
import threading

from builders.namespaces import MODEL, START_UTC_MS, a_new_face, a_store
from edged.store.namespace_snapshots import APART_MS, KEPT, Snapshots
from edged.store.namespace_store import NamespaceStore


def take(store: NamespaceStore, ms: int):
    return store.snapshots.take(store.connection, START_UTC_MS + ms)


def test_a_snapshot_is_a_whole_database_for_its_owner_alone(store):
    store.add_identity("Ada", [a_new_face(1, chip=True)])

    path = take(store, 0)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.name == "home.20231114T221320Z.r1.db"
    with NamespaceStore.open(path, store._clock, store._new_id, read_only=True) as copy:
        assert copy.identities() == store.identities()
        assert len(copy.faces_of(copy.identities()[0].id, MODEL)) == 1


def test_the_newest_few_are_kept(store):
    for n in range(KEPT + 2):
        store.add_identity(f"Person {n}")
        take(store, n * 1000)

    assert [one.revision for one in store.snapshots.newest_first()] == [5, 4, 3]


def test_one_is_due_after_a_change_and_not_twice_in_some_minutes(store):
    snapshots, connection = store.snapshots, store.connection
    assert not snapshots.is_due(connection, START_UTC_MS), "an empty namespace needs none"

    store.add_identity("Ada")
    assert snapshots.is_due(connection, START_UTC_MS)
    take(store, 0)
    assert not snapshots.is_due(connection, START_UTC_MS + APART_MS), "nothing changed"

    store.add_identity("Bob")
    assert not snapshots.is_due(connection, START_UTC_MS + APART_MS - 1)
    assert snapshots.is_due(connection, START_UTC_MS + APART_MS - 1, is_last=True)
    assert snapshots.is_due(connection, START_UTC_MS + APART_MS)
    assert snapshots.is_due(connection, START_UTC_MS - 86_400_000), "the clock went back"


def test_a_removal_exchanges_all_snapshots_for_one_without_the_person(store):
    ada = store.add_identity("Ada")
    store.add_identity("Bob")
    for n in range(3):
        take(store, n * 1000)

    store.remove([ada.id])

    (only,) = store.snapshots.newest_first()
    with NamespaceStore.open(only.path, store._clock, store._new_id, read_only=True) as copy:
        assert [person.name for person in copy.identities()] == ["Bob"]


def test_what_a_crash_left_of_an_erased_person_is_tidied_away(store):
    ada = store.add_identity("Ada")
    before = take(store, 0)
    kept = before.read_bytes()
    store.remove([ada.id])
    # As if the power had gone between the removal and the deletion of the snapshots.
    before.write_bytes(kept)
    (before.parent / ".home.4711.1.partial").write_bytes(kept)

    assert store.snapshots.tidy(store.connection) == 2

    assert [one.revision for one in store.snapshots.newest_first()] == [2]
    assert list(before.parent.iterdir()) == [store.snapshots.newest_first()[0].path]


def test_a_half_that_another_thread_or_process_is_making_is_left_to_it(store):
    store.add_identity("Ada")
    tidied = []
    interrupted = Interrupted(store.connection, lambda: tidied.append(store.snapshots.tidy(store.connection)))
    taken = store.snapshots.take(interrupted, START_UTC_MS)

    assert tidied == [0]
    assert list(taken.parent.iterdir()) == [taken]


class Interrupted:
    """A connection, at which something happens once, before its second question."""

    def __init__(self, connection, happens):
        self._connection = connection
        self._before = iter([lambda: None, happens])

    def execute(self, *arguments):
        next(self._before, lambda: None)()
        return self._connection.execute(*arguments)


def test_who_is_removed_while_a_snapshot_is_made_is_not_in_it(store):
    ada = store.add_identity("Ada")
    store.add_identity("Bob")

    def remove_ada():
        with NamespaceStore.open(store.path, store._clock, store._new_id) as other:
            other.remove([ada.id])

    def meanwhile():
        thread = threading.Thread(target=remove_ada)
        thread.start()
        thread.join()

    taken = store.snapshots.take(Interrupted(store.connection, meanwhile), START_UTC_MS + 10_000_000)

    assert [one.path for one in store.snapshots.newest_first()] == [taken]
    with NamespaceStore.open(taken, store._clock, store._new_id, read_only=True) as copy:
        assert [person.name for person in copy.identities()] == ["Bob"]


def test_namespaces_with_like_names_keep_their_own(tmp_path):
    with a_store(tmp_path) as home, a_store(tmp_path, namespace="home.2") as second:
        home.add_identity("Ada")
        second.add_identity("Bob")
        mine, theirs = take(home, 0), take(second, 0)

    assert [one.path for one in Snapshots(home.path).newest_first()] == [mine]
    assert [one.path for one in Snapshots(second.path).newest_first()] == [theirs]
