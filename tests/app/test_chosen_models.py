"""The embedder of a data folder, as the daemon and the commands find it."""

import pytest

from edged.app.chosen_models import load_chosen_models
from edged.domain.errors import ModelError, StoreError
from edged.inference.catalogue import Catalogue
from edged.inference.runtime import find_runtime
from edged.settings.recognition import Models
from edged.store.embedder_record import FILE_NAME, ChosenEmbedder, EmbedderRecord, write_record

USUAL = Catalogue().embedder_for("auto", find_runtime().name)
OTHER = next(card for card in Catalogue().cards() if card.role == "embedder" and card != USUAL)


def choose(folder, card, model_hash=None):
    chosen = ChosenEmbedder(card=card.name, model_hash=model_hash or card.sha256)
    write_record(folder, EmbedderRecord(chosen=chosen))


def loaded(folder, **settings):
    return load_chosen_models(Models(threads=1, **settings), 0.5, folder).embedder.model_hash


def test_without_a_choice_it_is_the_one_for_the_runtime(tmp_path):
    assert loaded(tmp_path) == USUAL.sha256
    assert loaded(tmp_path / "not-there-yet") == USUAL.sha256


def test_auto_follows_the_choice(tmp_path, caplog):
    choose(tmp_path, OTHER)
    assert loaded(tmp_path) == OTHER.sha256
    assert not caplog.records


def test_a_configuration_that_names_another_is_obeyed_and_it_is_said(tmp_path, caplog):
    choose(tmp_path, OTHER)
    assert loaded(tmp_path, embedder=USUAL.name) == USUAL.sha256
    assert f"`edged models use` chose {OTHER.name}" in caplog.text
    assert "embedder: auto" in caplog.text


def test_a_configuration_that_names_the_same_is_nothing_to_talk_about(tmp_path, caplog):
    choose(tmp_path, OTHER)
    assert loaded(tmp_path, embedder=OTHER.name) == OTHER.sha256
    assert not caplog.records


def test_a_choice_whose_model_was_exchanged_is_refused(tmp_path):
    choose(tmp_path, OTHER, "c" * 64)
    with pytest.raises(ModelError, match=f"is now {OTHER.sha256}") as caught:
        loaded(tmp_path)
    assert f"edged models use {OTHER.name}" in caught.value.remedy


def test_a_choice_whose_card_is_gone_is_refused_by_name(tmp_path):
    choose(tmp_path, OTHER)
    path = tmp_path / FILE_NAME
    path.write_text(path.read_text().replace(OTHER.name, "gone-with-the-wind"))
    with pytest.raises(ModelError, match="gone-with-the-wind"):
        loaded(tmp_path)


def test_a_choice_that_cannot_be_read_is_not_guessed(tmp_path):
    (tmp_path / FILE_NAME).write_bytes(b"\0\0\0")
    with pytest.raises(StoreError, match="is damaged"):
        loaded(tmp_path)
