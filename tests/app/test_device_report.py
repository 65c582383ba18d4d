"""What is told of the machine, and when; on parts that say what a test wants."""

from types import SimpleNamespace

import msgspec
import pytest

from builders.recognition import at
from edged.app.device_report import DeviceReport
from edged.domain.errors import StoreError
from edged.domain.sync_state import NamespaceSync, SyncRole, SyncState
from edged.sync.board import SyncBoard
from edged.system.thermal import Heat


class House:
    """A report, and all that it reports on."""

    def __init__(self):
        self.governing = SimpleNamespace(heat=Heat(51.23), slowed="", load=0.41)
        self.waiting = 3
        self.trouble = ""
        self.told = []
        self.asked = 0
        self.board = SyncBoard()
        self.report = DeviceReport(
            "bench",
            self.governing,
            self._count,
            lambda: self.trouble,
            self.told.append,
            self.board.standings,
        )

    def _count(self):
        self.asked += 1
        if isinstance(self.waiting, Exception):
            raise self.waiting
        return self.waiting

    def run(self, seconds):
        for second in seconds:
            self.report(at(1000 * second))
        return self.told


@pytest.fixture
def house():
    return House()


def test_the_figures_are_told_every_ten_seconds(house):
    told = house.run(range(25))

    assert [state.at - told[0].at for state in told] == [0, 10_000, 20_000]
    assert (told[0].temperature_c, told[0].load, told[0].waiting, told[0].throttled) == (51.2, 0.41, 3, False)
    assert house.asked == 3, "the outbox is not counted every second"


def test_a_warmer_processor_alone_is_no_news(house):
    house.run([0])
    house.governing.heat = Heat(70.0)

    assert len(house.run([1, 2, 3])) == 1


@pytest.mark.parametrize(
    "change",
    [
        lambda house: setattr(house, "trouble", "the outbox cannot be written"),
        lambda house: setattr(house.governing, "slowed", "too hot: hall 5 of 10 frames/s"),
        lambda house: setattr(house.governing, "heat", Heat(51.0, ("under-voltage",))),
    ],
)
def test_what_somebody_should_know_is_told_at_once_and_once(house, change):
    house.run([0])
    change(house)

    assert len(house.run([1, 2, 3])) == 2


def test_an_outbox_that_cannot_be_counted_leaves_the_last_figure(house):
    house.run([0])
    house.waiting = StoreError("the disk is gone")

    assert [state.waiting for state in house.run([10])] == [3, 3]


def a_standing(**changes):
    wanted = {
        "role": SyncRole.MEMBER,
        "state": SyncState.IN_STEP,
        "epoch": 4,
        "seen_epoch": 4,
        "age_ms": 1500,
    }
    return NamespaceSync("home", **(wanted | changes))


def test_where_nothing_is_synced_nothing_is_told_of_it(house):
    assert b"sync" not in msgspec.json.encode(house.run([0])[0])


def test_how_a_namespace_is_synced_is_told_by_its_name(house):
    house.board.tell(a_standing())

    told = msgspec.json.decode(msgspec.json.encode(house.run([0])[0]))

    assert told["sync"] == {
        "home": {"role": "member", "state": "in step", "epoch": 4, "seenEpoch": 4, "ageS": 1}
    }


def test_a_state_that_somebody_should_look_at_is_told_as_trouble_also_without_words(house):
    house.board.tell(a_standing(state=SyncState.REMOVED))

    assert house.run([0])[0].sync["home"].trouble == "removed"


@pytest.mark.parametrize(
    ("change", "is_news"),
    [
        ({"epoch": 5}, True),
        ({"trouble": "no key"}, True),
        ({"age_ms": 9000}, False),
        ({"proposals": 1}, False),
    ],
)
def test_another_epoch_or_trouble_is_told_at_once_and_an_age_is_not(house, change, is_news):
    house.board.tell(a_standing())
    house.run([0])
    house.board.tell(a_standing(**change))

    assert (len(house.run([1, 2])) == 2) is is_news
