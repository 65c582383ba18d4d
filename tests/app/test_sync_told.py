"""What a daemon tells of the sync, and a command reads beside it."""

import os
import stat

import pytest

from builders.namespaces import HandClock
from builders.setbacks import fill, small_disk
from edged.app.sync_told import LEAST_MS, SyncTeller, told_path, word_of
from edged.domain.sync_state import NamespaceSync, SyncRole, SyncState


def a_standing(state=SyncState.IN_STEP, trouble=""):
    return NamespaceSync("home", SyncRole.MEMBER, state, trouble=trouble)


def test_what_is_news_is_there_for_its_owner_alone_and_counts_while_the_daemon_runs(tmp_path):
    teller, clock = SyncTeller(tmp_path), HandClock()
    assert word_of(tmp_path, "home", os.getpid()) is None
    teller(a_standing(SyncState.UNTRUSTED, "somebody else signs"), clock.moment())
    word = word_of(tmp_path, "home", os.getpid())

    assert (word.state, word.trouble) == ("untrusted", "somebody else signs")
    assert word.since_ms == clock.moment().utc_ms
    assert stat.S_IMODE(told_path(tmp_path, "home").stat().st_mode) == 0o600
    # Of a run before, or of none.
    assert word_of(tmp_path, "home", os.getpid() + 1) is None
    assert word_of(tmp_path, "home", None) is None


def test_what_goes_to_and_fro_is_written_now_and_then_and_ends_as_it_is(tmp_path):
    teller, clock = SyncTeller(tmp_path), HandClock()
    teller(a_standing(), clock.moment())
    first = told_path(tmp_path, "home").stat().st_ino
    for state in (SyncState.OFFLINE, SyncState.IN_STEP, SyncState.OFFLINE):
        clock.ms += 1_000
        teller(a_standing(state), clock.moment())
    assert told_path(tmp_path, "home").stat().st_ino == first
    clock.ms += LEAST_MS
    teller(a_standing(SyncState.OFFLINE), clock.moment())

    assert word_of(tmp_path, "home", os.getpid()).state == "offline"


def test_a_folder_that_cannot_be_written_and_a_file_that_is_none_are_passed_over(tmp_path):
    (tmp_path / "sync").write_text("no folder")
    SyncTeller(tmp_path)(a_standing(), HandClock().moment())
    assert word_of(tmp_path, "home", os.getpid()) is None
    (tmp_path / "sync").unlink()
    (tmp_path / "sync").mkdir()
    told_path(tmp_path, "home").write_text("{")
    assert word_of(tmp_path, "home", os.getpid()) is None


def test_that_a_disk_is_full_is_told_on_it_in_the_place_of_what_was_told_before(tmp_path):
    with small_disk(tmp_path / "small") as is_mounted:
        if not is_mounted:
            pytest.skip("mounting a small file system needs root")
        folder = tmp_path / "small"
        teller, clock = SyncTeller(folder), HandClock()
        teller(a_standing(), clock.moment())
        fill(folder / "ballast")
        clock.ms += LEAST_MS
        teller(a_standing(SyncState.FAULTY, "no room is left"), clock.moment())

        word = word_of(folder, "home", os.getpid())
        assert (word.state, word.trouble) == ("faulty", "no room is left")


def test_what_could_not_be_written_is_written_later_though_it_is_no_news_then(tmp_path):
    teller, clock = SyncTeller(tmp_path), HandClock()
    (tmp_path / "sync").write_text("no folder")
    teller(a_standing(SyncState.OFFLINE), clock.moment())
    (tmp_path / "sync").unlink()
    clock.ms += LEAST_MS
    teller(a_standing(SyncState.OFFLINE), clock.moment())
    assert word_of(tmp_path, "home", os.getpid()).state == "offline"
