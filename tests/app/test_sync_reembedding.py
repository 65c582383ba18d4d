"""Faces of another embedder, embedded in the background by this node's own."""

import threading
from contextlib import closing

import pytest

from bench.daemon import eventually
from builders.model_changes import MeanColours
from builders.namespaces import MODEL, OTHER_MODEL, HandClock, Ids, a_new_face, a_store
from builders.setbacks import FullDisk, small_disk
from edged.app.bare_node import embedder_in_use
from edged.app.sync_reembedding import (
    BackgroundReembedding,
    LeftToTheDaemon,
    background_reembedding,
    embed_now,
)
from edged.domain.errors import ModelError, StoreError
from edged.settings.recognition import Models
from edged.settings.root import Settings
from edged.store.namespace_files import namespace_path
from edged.system.clock import SystemClock

FACES = 40


class Watched(MeanColours):
    """An embedder that may be held up after some faces."""

    def __init__(self, model_hash=OTHER_MODEL, *, held_after=None):
        super().__init__(model_hash)
        self.embedded = 0
        self.goes_on = threading.Event()
        self._held_after = held_after

    def embed(self, chip):
        if self.embedded == self._held_after:
            self.goes_on.wait(20)
        self.embedded += 1
        return super().embed(chip)


@pytest.fixture
def path(tmp_path):
    """Forty faces of another node's embedder, with crops, and one without."""
    with a_store(tmp_path) as store:
        store.add_identity("Ada", [a_new_face(n, chip=True) for n in range(FACES)])
        store.add_identity("Ben", [a_new_face(99)])
    return namespace_path(tmp_path, "home")


def work(load, *, changed=lambda: None, again_s=60.0):
    return BackgroundReembedding(load, OTHER_MODEL, SystemClock(), Ids("work"), changed, again_s=again_s)


def known(path):
    with a_store(path.parent.parent, seed="look") as store:
        return store.models().get(OTHER_MODEL, 0)


def has_ended():
    return not any(thread.name == "sync-reembedding" for thread in threading.enumerate())


def test_every_crop_is_embedded_and_whoever_recognises_is_told(path):
    told = []
    worker = work(Watched, changed=lambda: told.append(known(path)))
    worker.look_at(path)
    eventually(lambda: known(path) == FACES)
    eventually(has_ended, what="nothing is left to do: neither thread nor embedder stay")
    assert told == [16, 32, 40]
    assert worker.stop(1)


def test_an_embedder_is_loaded_only_where_there_is_something_to_embed(path):
    loaded = []

    def load():
        loaded.append(1)
        return Watched()

    worker = work(load)
    with a_store(path.parent.parent, seed="call") as store:
        worker(store)
        eventually(lambda: known(path) == FACES)
        eventually(has_ended)
        worker(store)
        worker.look_at(path.with_name("nobody.db"))
        eventually(has_ended)
    assert loaded == [1]
    assert worker.stop(1)


def test_what_was_done_when_it_was_stopped_stays_done_and_the_next_one_does_the_rest(path):
    held = Watched(held_after=20)
    worker = work(lambda: held)
    worker.look_at(path)
    eventually(lambda: held.embedded == 20)
    stopping = threading.Thread(target=worker.stop, args=(20,))
    stopping.start()
    eventually(worker._stopping.is_set)
    held.goes_on.set()
    stopping.join(20)
    assert has_ended()
    assert known(path) == 21
    worker.look_at(path)
    assert has_ended(), "a stopped one begins nothing"

    rest = Watched()
    other = work(lambda: rest)
    other.look_at(path)
    eventually(lambda: known(path) == FACES)
    eventually(has_ended)
    assert rest.embedded == FACES - 21


def test_where_the_embedder_fails_that_is_said_once_and_tried_again(path, caplog):
    tries = []

    def load():
        tries.append(1)
        if len(tries) < 4:
            raise ModelError("the model is gone")
        return Watched()

    worker = work(load, again_s=0.01)
    worker.look_at(path)
    eventually(lambda: known(path) == FACES)
    assert worker.stop(5)
    said = [record.getMessage() for record in caplog.records if "the model is gone" in record.getMessage()]
    assert len(said) == 1


def test_where_the_disk_is_full_nobody_is_known_by_half_and_the_rest_is_embedded_with_room(tmp_path, caplog):
    with small_disk(tmp_path / "small", "8m") as is_mounted:
        if not is_mounted:
            pytest.skip("mounting a small file system needs root")
        folder = tmp_path / "small"
        with a_store(folder) as store:
            store.add_identity("Ada", [a_new_face(n, chip=True) for n in range(FACES)])
            path = store.path
            disk, held = FullDisk(path, folder), Watched(held_after=20)
            worker = work(lambda: held, again_s=0.01)
            worker.look_at(path)
            eventually(lambda: held.embedded == 20)
            disk.begin()
            held.goes_on.set()
            eventually(lambda: [each for each in caplog.records if "no room is left" in each.getMessage()])
            assert known(path) == 16
            disk.end()
            eventually(lambda: known(path) == FACES)
            assert worker.stop(5)


def test_an_embedder_that_was_chosen_meanwhile_makes_nothing_that_this_run_would_not_know(path):
    loaded = []

    def load():
        loaded.append(1)
        return Watched("c" * 64)

    worker = work(load)
    worker.look_at(path)
    eventually(lambda: loaded and has_ended())
    assert known(path) == 0
    with a_store(path.parent.parent, seed="look") as store:
        assert store.models() == {MODEL: FACES + 1}


def test_it_rests_as_long_as_it_works(path):
    class Slow(Watched):
        def embed(self, chip):
            clock.ms += 40
            return super().embed(chip)

    clock, waits = HandClock(), []

    class Stopping(threading.Event):
        def wait(self, timeout=None):
            waits.append(timeout)
            return False

    worker = BackgroundReembedding(Slow, OTHER_MODEL, clock, Ids(), lambda: None)
    worker._stopping = Stopping()
    worker.look_at(path)
    eventually(lambda: known(path) == FACES)
    eventually(has_ended)
    assert waits == [0.04] * FACES


def test_a_command_leaves_it_to_the_daemon(path):
    with closing(a_store(path.parent.parent, seed="call")) as store:
        LeftToTheDaemon()(store)
        assert LeftToTheDaemon().stop(0)
    assert known(path) == 0


def test_the_embedder_of_the_configuration_is_loaded_beside_the_one_that_recognises(path):
    data_dir = path.parent.parent
    model_hash = embedder_in_use(Settings(feeds=(), sinks=()), data_dir).model_hash
    worker = background_reembedding(
        Models(delegate="./none.so", delegate_required=True),
        data_dir,
        model_hash,
        SystemClock(),
        Ids("work"),
        lambda: None,
        None,
    )
    worker.look_at(path)
    with closing(a_store(data_dir, seed="look")) as store:
        eventually(lambda: store.models().get(model_hash, 0) > 0)
    assert worker.stop(10)


def test_what_a_command_takes_over_is_embedded_at_once(path):
    data_dir = path.parent.parent
    model_hash = embedder_in_use(Settings(feeds=(), sinks=()), data_dir).model_hash
    with closing(a_store(data_dir, seed="call")) as store:
        store.remove([person.id for person in store.identities() if person.name == "Ada"])
        store.add_identity("Eve", [a_new_face(1, chip=True)])
        assert embed_now("home", store, Models(), data_dir, model_hash, SystemClock()) == 1
        assert store.models() == {MODEL: 2, model_hash: 1}
        with pytest.raises(StoreError, match="another embedder was chosen"):
            embed_now("home", store, Models(), data_dir, MODEL, SystemClock())
