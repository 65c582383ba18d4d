"""What a daemon tells of the sync, and a command reads beside it."""

import os
import stat

from builders.namespaces import HandClock
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
