"""Another embedder without enrolling anybody again."""

import os
import random
import signal
import subprocess
import sys

import msgspec
import numpy as np
import pytest

from builders.model_changes import MeanColours, a_card, a_folder
from builders.namespaces import MODEL, OTHER_MODEL, a_new_face, a_store, random_chip, random_unit, raw_bytes
from builders.syncs import an_epoch
from edged.app.model_change import (
    change_over,
    counts,
    forget,
    in_force,
    line_of_embedder,
    previous_choice,
    surveys,
)
from edged.app.reembedding import Progress
from edged.domain.errors import ModelError, StoreError
from edged.inference.card import InputScale, embedding_hash
from edged.inference.catalogue import Catalogue
from edged.inference.runtime import find_runtime
from edged.settings.recognition import Models
from edged.store.embedder_record import FILE_NAME, ChosenEmbedder, EmbedderRecord, read_record, write_record
from edged.store.fsck import fsck
from edged.store.group_store import GroupStore
from edged.store.namespace_chips import chip_to_png, embedding_to_bytes
from edged.store.namespace_files import namespace_path

OLD = ChosenEmbedder(card="old", model_hash=MODEL)
NEW = ChosenEmbedder(card="mean-colours", model_hash=OTHER_MODEL)


def nothing(_progress):
    pass


def test_everybody_is_embedded_anew_and_then_the_model_is_in_force(tmp_path):
    folder = a_folder(tmp_path, namespaces=("home", "office"))
    told: list[Progress] = []

    assert change_over(folder, a_card(), MeanColours(), OLD, told.append) == 12

    assert read_record(tmp_path) == EmbedderRecord(chosen=NEW, previous=OLD)
    assert [(one.namespace, one.done, one.total) for one in told] == [("home", 6, 6), ("office", 6, 6)]
    with a_store(tmp_path) as store:
        change = store.changes_since(0, OTHER_MODEL)
        assert change is not None
        assert [one.embeddings.shape for one in change.changed] == [(2, 96)] * 3
        assert change.changed[0].embeddings[1] == pytest.approx(MeanColours().embed(random_chip(1)))
        assert store.models() == {MODEL: 6, OTHER_MODEL: 6}
    assert fsck(namespace_path(tmp_path, "home")) == []


def test_going_back_embeds_nothing_and_going_there_again_neither(tmp_path):
    folder = a_folder(tmp_path)
    change_over(folder, a_card(), MeanColours(), OLD, nothing)
    assert previous_choice(folder) == OLD

    assert change_over(folder, a_card("old", MODEL), MeanColours(MODEL), NEW, nothing) == 0
    assert read_record(tmp_path) == EmbedderRecord(chosen=OLD, previous=NEW)
    assert change_over(folder, a_card(), MeanColours(), OLD, nothing) == 0
    assert read_record(tmp_path) == EmbedderRecord(chosen=NEW, previous=OLD)


def test_choosing_the_model_that_is_in_force_keeps_the_way_back(tmp_path):
    folder = a_folder(tmp_path)
    change_over(folder, a_card(), MeanColours(), OLD, nothing)
    change_over(folder, a_card(), MeanColours(), NEW, nothing)
    assert previous_choice(folder) == OLD


def test_without_a_change_there_is_no_way_back(tmp_path):
    with pytest.raises(ModelError, match="no embedder to go back to"):
        previous_choice(a_folder(tmp_path))


def test_faces_that_came_meanwhile_are_embedded_too(tmp_path):
    folder = a_folder(tmp_path)

    def enrol_one(progress):
        if progress.total == 6:
            with a_store(tmp_path, seed="late") as store:
                store.add_identity("Late", [a_new_face(99, chip=True)])

    assert change_over(folder, a_card(), MeanColours(), OLD, enrol_one) == 7
    assert counts(folder) == {MODEL: 7, OTHER_MODEL: 7}


def test_a_survey_says_who_would_be_lost_and_changes_nothing(tmp_path):
    folder = a_folder(tmp_path)
    with a_store(tmp_path, seed="more") as store:
        store.add_identity("Bob", [a_new_face(50), a_new_face(51)])
        store.add_identity("Half", [a_new_face(60), a_new_face(61, chip=True)])
    before = raw_bytes(tmp_path)

    (found,) = surveys(folder, OTHER_MODEL).values()

    assert (found.enrolled.faces, found.enrolled.pending, found.enrolled.lost) == (10, 7, 3)
    assert [(one.identity.name, one.lost, one.identity.faces) for one in found.unseen] == [
        ("Bob", 2, 2),
        ("Half", 1, 2),
    ]
    assert len(raw_bytes(tmp_path)) >= len(before)
    assert read_record(tmp_path) is None
    assert counts(folder) == {MODEL: 10}


def test_a_damaged_chip_is_one_face_less_and_not_the_end(tmp_path):
    folder = a_folder(tmp_path)
    with a_store(tmp_path) as store:
        store.connection.execute("UPDATE chip SET png = x'89504e47' WHERE face = 2")
    assert change_over(folder, a_card(), MeanColours(), OLD, nothing) == 5
    assert read_record(tmp_path) == EmbedderRecord(chosen=NEW, previous=OLD)


def test_a_namespace_that_cannot_be_read_leaves_the_old_model_in_force(tmp_path):
    folder = a_folder(tmp_path, namespaces=("home", "office"))
    namespace_path(tmp_path, "office").write_bytes(b"no database " * 500)
    with pytest.raises(StoreError):
        change_over(folder, a_card(), MeanColours(), OLD, nothing)
    assert read_record(tmp_path) is None


def test_another_template_or_scale_in_a_card_is_another_embedder():
    plain = a_card()
    assert embedding_hash(plain) == plain.sha256
    changes = (
        {"template": "arcface112"},
        {"mirror": False},
        {"input_scale": InputScale(order="bgr")},
        {"input_scale": InputScale(factor=1 / 255)},
    )
    heads = [msgspec.structs.replace(plain.head, **change) for change in changes]
    hashes = {embedding_hash(msgspec.structs.replace(plain, head=head)) for head in heads}
    assert len(hashes | {plain.sha256}) == 5
    assert all(len(one) == 64 for one in hashes)
    same = InputScale(factor=(1.0, 1.0, 1.0))
    assert embedding_hash(
        msgspec.structs.replace(plain, head=msgspec.structs.replace(plain.head, input_scale=same))
    ) == (plain.sha256)


_CHANGING = """
import sys
from pathlib import Path
from builders.model_changes import MeanColours, a_card
from builders.namespaces import HandClock, Ids, MODEL
from edged.app.model_change import DataFolder, change_over
from edged.store.embedder_record import ChosenEmbedder
print("begun", flush=True)
folder = DataFolder(Path(sys.argv[1]), HandClock(), Ids(sys.argv[2]))
tell = lambda progress: print(progress.done, flush=True)
change_over(folder, a_card(), MeanColours(), ChosenEmbedder(card="old", model_hash=MODEL), tell)
print("over", flush=True)
"""


def test_a_change_that_is_killed_at_any_moment_leaves_the_old_model_in_force_and_whole(tmp_path):
    folder = a_folder(tmp_path, people=45, faces=3, namespaces=("home", "office"))
    chance = random.Random(7)
    done_before = 0
    for turn in range(20):
        with subprocess.Popen(
            [sys.executable, "-c", _CHANGING, str(tmp_path), f"turn{turn}"],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        ) as process:
            assert process.stdout
            for _ in range(chance.randrange(1, 4)):
                process.stdout.readline()
            process.send_signal(signal.SIGKILL)
            last = [line.strip() for line in process.stdout][-1:]
        record = read_record(tmp_path)
        by_model = counts(folder)
        assert by_model[MODEL] == 270, "the old model's embeddings are all there"
        assert by_model.get(OTHER_MODEL, 0) >= done_before, "what was done stays done"
        done_before = by_model.get(OTHER_MODEL, 0)
        if record is not None:
            assert record == EmbedderRecord(chosen=NEW, previous=OLD)
            assert by_model[OTHER_MODEL] == 270, "in force only when all are embedded"
            break
        assert last != ["over"]
    assert turn > 1, "it was killed in its middle"
    change_over(folder, a_card(), MeanColours(), OLD, nothing)
    assert counts(folder) == {MODEL: 270, OTHER_MODEL: 270}
    assert [fsck(namespace_path(tmp_path, name)) for name in ("home", "office")] == [[], []]


def test_forgetting_deletes_the_embeddings_here_and_in_every_snapshot(tmp_path):
    folder = a_folder(tmp_path)
    with a_store(tmp_path) as store:
        vector = store.faces_of(store.identities()[0].id, MODEL)[0].embedding.tobytes()
        store.snapshots.take(store.connection, 1_700_000_000_000)
    change_over(folder, a_card(), MeanColours(), OLD, nothing)
    assert vector in raw_bytes(tmp_path)

    done = forget(folder, MODEL, Models())

    assert (done.embeddings, done.kept, done.warnings) == (6, 0, ())
    assert vector not in raw_bytes(tmp_path)
    assert counts(folder) == {OTHER_MODEL: 6}
    assert read_record(tmp_path) == EmbedderRecord(chosen=NEW)
    assert fsck(namespace_path(tmp_path, "home")) == []


def test_the_model_of_a_synced_namespace_is_not_forgotten_by_its_member_anywhere(tmp_path):
    folder = a_folder(tmp_path, namespaces=("away", "home"))
    with a_store(tmp_path) as store:
        an_epoch(store, role="member")
    change_over(folder, a_card(), MeanColours(), OLD, nothing)

    with pytest.raises(ModelError, match="the synced namespace is of this model"):
        forget(folder, MODEL, Models())

    assert counts(folder) == {MODEL: 12, OTHER_MODEL: 12}, "neither there nor in another namespace"
    assert read_record(tmp_path) == EmbedderRecord(chosen=NEW, previous=OLD)


def test_what_is_all_there_is_of_a_face_is_not_forgotten(tmp_path):
    folder = a_folder(tmp_path)
    with a_store(tmp_path, seed="more") as store:
        store.add_identity("Bob", [a_new_face(50)])
    change_over(folder, a_card(), MeanColours(), OLD, nothing)
    done = forget(folder, MODEL, Models())
    assert (done.embeddings, done.kept) == (6, 1)
    assert counts(folder) == {MODEL: 1, OTHER_MODEL: 6}


def test_the_model_in_force_is_not_forgotten(tmp_path):
    folder = a_folder(tmp_path)
    change_over(folder, a_card(), MeanColours(), OLD, nothing)
    with pytest.raises(ModelError, match="mean-colours is the embedder in force"):
        forget(folder, OTHER_MODEL, Models())
    assert counts(folder)[OTHER_MODEL] == 6


def test_in_force_is_what_was_chosen_and_without_a_choice_what_the_runtime_is_for(tmp_path):
    folder = a_folder(tmp_path)
    usual = Catalogue().embedder_for("auto", find_runtime().name)
    assert in_force(folder, Models()) == ChosenEmbedder(card=usual.name, model_hash=usual.sha256)
    write_record(tmp_path, EmbedderRecord(chosen=NEW))
    assert in_force(folder, Models()) == NEW
    named = "dlib-resnet-v1-weight-only-int8"
    assert in_force(folder, Models(embedder=named)).card == named
    assert in_force(folder, Models(embedder="gone")) is None


def test_a_damaged_record_is_an_error_to_readers_and_is_mended_by_choosing(tmp_path):
    folder = a_folder(tmp_path)
    (tmp_path / FILE_NAME).write_text('{"chosen": {"card": "x", "model_hash": "12"}}')
    with pytest.raises(StoreError, match="edged models use"):
        read_record(tmp_path)
    change_over(folder, a_card(), MeanColours(), None, nothing)
    assert read_record(tmp_path) == EmbedderRecord(chosen=NEW)


def test_a_record_is_for_its_owner_alone_and_leaves_no_half(tmp_path):
    write_record(tmp_path, EmbedderRecord(chosen=NEW))
    write_record(tmp_path, EmbedderRecord(chosen=OLD, previous=NEW))
    assert [path.name for path in tmp_path.iterdir()] == [FILE_NAME]
    assert (tmp_path / FILE_NAME).stat().st_mode & 0o777 == 0o600


def test_the_line_that_names_the_embedder_is_found(tmp_path):
    config = tmp_path / "config.yaml"
    config.write_text("device: door\nmodels:\n  threads: 1\n  embedder: old\n")
    assert line_of_embedder(config) == 4
    config.write_text("models: {threads: 1}\n")
    assert line_of_embedder(config) is None
    assert line_of_embedder(tmp_path / "none.yaml") is None


@pytest.mark.parametrize(
    ("progress", "words"),
    [
        (Progress("home", 0, 400, 0), "namespace home: 0 of 400 faces"),
        (Progress("home", 100, 400, 500), "namespace home: 100 of 400 faces, 200 a second, 2 s left"),
        (Progress("home", 100, 400, 50_000), "namespace home: 100 of 400 faces, 2 a second, 2 min 30 s left"),
        (Progress("home", 5, 4, 1000), "namespace home: 5 of 4 faces, 5 a second, 0 s left"),
    ],
)
def test_progress_says_how_far_how_fast_and_how_long(progress, words):
    assert str(progress) == words


def add_group(store, *, chips):
    """A group of one track with two faces, as the old model embedded them."""
    run = store.connection.execute
    run("INSERT INTO unknown_group VALUES (1, ?, 1, 2, 1, 2, 0)", ("g" * 36,))
    run("INSERT INTO group_track VALUES (1, ?, 1, 'door', 1, 2, 0)", ("t" * 36,))
    mean = embedding_to_bytes(random_unit(200))
    run("INSERT INTO group_track_embedding VALUES (1, ?, ?, 1.5)", (MODEL, mean))
    for number in (1, 2):
        run("INSERT INTO group_face VALUES (?, 1, 0.8, 0, 0, 1)", (number,))
        vector = embedding_to_bytes(random_unit(200 + number))
        run("INSERT INTO group_embedding VALUES (?, ?, ?)", (number, MODEL, vector))
        if chips:
            png = chip_to_png(random_chip(200 + number))
            run("INSERT INTO group_chip VALUES (?, ?)", (number, png))


def test_unknown_people_are_taken_along_and_forgotten_alike(tmp_path):
    folder = a_folder(tmp_path)
    with a_store(tmp_path) as store:
        add_group(store, chips=True)
        assert surveys(folder, OTHER_MODEL)["home"].grouped.pending == 2

    assert change_over(folder, a_card(), MeanColours(), OLD, nothing) == 8
    with a_store(tmp_path) as store:
        (group,) = GroupStore(store).groups()
        (track,) = GroupStore(store).means_of(group, OTHER_MODEL)
        assert track.mean.shape == (96,)
        assert np.linalg.norm(track.mean) == pytest.approx(1, abs=1e-5)

    assert forget(folder, MODEL, Models()).embeddings == 8
    with a_store(tmp_path) as store:
        (forgotten,) = GroupStore(store).means_of(group, MODEL)
        assert forgotten.mean is None
        assert GroupStore(store).means_of(group, OTHER_MODEL)[0].mean is not None


def test_a_group_without_chips_stays_with_the_model_that_knows_it(tmp_path):
    folder = a_folder(tmp_path)
    with a_store(tmp_path) as store:
        add_group(store, chips=False)
    assert change_over(folder, a_card(), MeanColours(), OLD, nothing) == 6
    done = forget(folder, MODEL, Models())
    assert (done.embeddings, done.kept) == (6, 2)
    with a_store(tmp_path) as store:
        (group,) = GroupStore(store).groups()
        assert GroupStore(store).means_of(group, MODEL)[0].mean is not None
