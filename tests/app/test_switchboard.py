"""The privacy switch and the schedule of the feeds."""

import shutil
from datetime import UTC, datetime

import pytest

from edged.app.switchboard import Switchboard
from edged.domain.errors import StoreError
from edged.domain.moment import Moment
from edged.pipeline.feed_control import FeedControl, Off
from edged.settings.feeds import Feed, Hours
from edged.settings.sources import FileSource, RtspSource
from edged.store.feed_switches import FOLDER, FeedSwitches

HALL = Feed(id="hall", source=RtspSource(url="rtsp://camera/live"))
OFFICE = Feed(
    id="office", source=RtspSource(url="rtsp://camera/2"), schedule=(Hours(begin="08:00", end="18:00"),)
)


def local(utc_ms):
    return datetime.fromtimestamp(utc_ms / 1000, UTC)


def at(hour):
    return Moment(hour * 3_600_000, round(datetime(2026, 3, 2, hour, tzinfo=UTC).timestamp() * 1000))


class House:
    """A switchboard on a folder, and what it told."""

    def __init__(self, folder):
        self.control = FeedControl({"hall": 10.0, "office": 10.0, "clip": 10.0})
        self.switches = FeedSwitches(folder)
        self.told = []
        self.board = Switchboard(
            (HALL, OFFICE), self.control, self.switches, lambda *told: self.told.append(told), local
        )

    def begun(self, hour=12):
        """Started at that hour."""
        self.board.begin(at(hour))
        return self


def test_in_the_beginning_every_feed_is_on_and_said_to_be(tmp_path):
    house = House(tmp_path).begun()

    assert [house.control.off(feed) for feed in ("hall", "office", "clip")] == [None, None, None]
    assert sorted(house.told) == [("clip", True), ("hall", True), ("office", True)]


def test_off_is_at_once_and_told_when_it_is_kept(tmp_path):
    house = House(tmp_path).begun()

    house.board.ask("hall", False)
    assert house.control.off("hall") is Off.SWITCH
    assert ("hall", False) not in house.told
    house.board(at(12))

    assert house.told[-1] == ("hall", False)
    assert house.switches.off() == {"hall"}


def test_on_waits_until_it_is_kept(tmp_path):
    FeedSwitches(tmp_path).set("hall", is_on=False)
    house = House(tmp_path).begun()
    assert house.control.off("hall") is Off.SWITCH
    assert ("hall", False) in house.told

    house.board.ask("hall", True)
    assert house.control.off("hall") is Off.SWITCH
    house.board(at(12))

    assert house.control.off("hall") is None
    assert house.told[-1] == ("hall", True)
    assert House(tmp_path).begun().control.off("hall") is None


def test_of_several_wishes_the_last_counts(tmp_path):
    house = House(tmp_path).begun()
    for is_on in (False, True, False):
        house.board.ask("hall", is_on)
    house.board(at(12))

    assert house.control.off("hall") is Off.SWITCH
    assert house.control.times_off("hall") == 1


def test_what_the_command_writes_is_heeded_with_the_next_round(tmp_path):
    house = House(tmp_path).begun()

    FeedSwitches(tmp_path).set("office", is_on=False)
    house.board(at(12))
    assert house.control.off("office") is Off.SWITCH

    FeedSwitches(tmp_path).set("office", is_on=True)
    house.board(at(12))
    assert house.control.off("office") is None
    assert house.told[-2:] == [("office", False), ("office", True)]


def test_a_disk_that_fails_leaves_a_feed_off_and_untold_until_it_works_again(tmp_path, caplog):
    house = House(tmp_path).begun()
    (tmp_path / FOLDER).write_text("in the way")

    house.board.ask("hall", False)
    house.board(at(12))
    house.board(at(12))

    assert house.control.off("hall") is Off.SWITCH
    assert ("hall", False) not in house.told
    assert len(caplog.records) == 1
    (tmp_path / FOLDER).unlink()
    house.board(at(12))
    assert house.told[-1] == ("hall", False)


def test_a_switch_that_cannot_be_written_keeps_no_other_from_being_heeded(tmp_path):
    house = House(tmp_path).begun()
    (tmp_path / FOLDER / "hall.off").mkdir(parents=True)
    house.board.ask("hall", True)

    FeedSwitches(tmp_path).set("office", is_on=False)
    house.board(at(12))

    assert house.control.off("office") is Off.SWITCH


def test_without_its_switches_nothing_starts(tmp_path):
    (tmp_path / FOLDER).write_text("in the way")

    with pytest.raises(StoreError):
        House(tmp_path).begun()


def test_a_folder_that_was_removed_is_as_if_nobody_had_switched(tmp_path):
    house = House(tmp_path).begun()
    house.board.ask("hall", False)
    house.board(at(12))
    shutil.rmtree(tmp_path / FOLDER)

    house.board(at(12))

    assert house.control.off("hall") is None


def test_the_hours_are_heeded_from_the_start_on_and_are_no_matter_of_the_switch(tmp_path):
    house = House(tmp_path).begun(hour=7)
    assert house.control.off("office") is Off.SCHEDULE
    assert ("office", True) in house.told

    house.board(at(8))
    assert house.control.off("office") is None
    house.board.ask("office", False)
    house.board(at(18))
    assert house.control.off("office") is Off.SWITCH
    house.board.ask("office", True)
    house.board(at(19))
    assert house.control.off("office") is Off.SCHEDULE


def test_a_clip_that_is_replayed_is_not_switched(tmp_path):
    house = House(tmp_path).begun()

    house.board.ask("clip", False)
    house.board(at(12))

    assert house.control.off("clip") is None
    assert house.switches.off() == frozenset()
    assert Feed(id="clip", source=FileSource(path="x")).source.pace == "fast"
