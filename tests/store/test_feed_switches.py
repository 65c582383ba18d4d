"""Which feeds are switched off, kept over restarts."""

import pytest

from edged.domain.errors import StoreError
from edged.store.feed_switches import FOLDER, FeedSwitches


def test_every_feed_is_on_in_the_beginning(tmp_path):
    assert FeedSwitches(tmp_path / "new").off() == frozenset()


def test_what_one_switches_another_sees(tmp_path):
    FeedSwitches(tmp_path / "data").set("hall", is_on=False)
    FeedSwitches(tmp_path / "data").set("..", is_on=False)
    FeedSwitches(tmp_path / "data").set("hall", is_on=False)

    assert FeedSwitches(tmp_path / "data").off() == {"hall", ".."}

    FeedSwitches(tmp_path / "data").set("..", is_on=True)
    FeedSwitches(tmp_path / "data").set("yard", is_on=True)
    assert FeedSwitches(tmp_path / "data").off() == {"hall"}


def test_switching_on_what_was_never_off_makes_nothing(tmp_path):
    FeedSwitches(tmp_path).set("hall", is_on=True)

    assert list(tmp_path.iterdir()) == []


def test_what_is_made_is_for_its_owner_alone(tmp_path):
    FeedSwitches(tmp_path).set("hall", is_on=False)

    assert (tmp_path / FOLDER).stat().st_mode & 0o077 == 0


def test_a_folder_that_cannot_be_used_is_told(tmp_path):
    (tmp_path / FOLDER).write_text("in the way")

    with pytest.raises(StoreError, match=FOLDER):
        FeedSwitches(tmp_path).off()
    with pytest.raises(StoreError, match=FOLDER):
        FeedSwitches(tmp_path).set("hall", is_on=False)
