"""What is told of the machine, and when; on parts that say what a test wants."""

from types import SimpleNamespace

import pytest

from builders.recognition import at
from edged.app.device_report import DeviceReport
from edged.domain.errors import StoreError
from edged.system.thermal import Heat


class House:
    """A report, and all that it reports on."""

    def __init__(self):
        self.governing = SimpleNamespace(heat=Heat(51.23), slowed="", load=0.41)
        self.waiting = 3
        self.trouble = ""
        self.told = []
        self.asked = 0
        self.report = DeviceReport(
            "bench", self.governing, self._count, lambda: self.trouble, self.told.append
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
