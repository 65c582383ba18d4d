"""The governor on real parts: control, slots and the recogniser's counts."""

import logging

import pytest

from builders.recognition import at
from edged.app.governing import Governing
from edged.pipeline.feed_control import FeedControl
from edged.pipeline.slot import SlotRing
from edged.pipeline.workload import Workload
from edged.settings.feeds import Feed
from edged.settings.governor import Governor
from edged.settings.root import Settings
from edged.settings.sinks import ConsoleSink
from edged.settings.sources import FileSource
from edged.system.thermal import Heat


class House:
    """Two feeds at 10 frames a second, whose frames take as long as a test wants."""

    def __init__(self, replays=(), **governor):
        feeds = tuple(
            Feed(id=name, namespace="home", source=FileSource(path="/clip.mp4"), fps=10)
            for name in ("hall", "gate")
        )
        settings = Settings(feeds=feeds, sinks=(ConsoleSink(),), governor=Governor(**governor))
        self.control = FeedControl({feed.id: feed.fps for feed in feeds})
        self.workload = Workload(feed.id for feed in feeds)
        self.heat = Heat(50.0)
        self.second = 0
        self.governing = Governing(
            settings, self.control, SlotRing(("hall", "gate")), self.workload, lambda: self.heat, replays
        )

    def run(self, seconds, **cost_ms):
        for _ in range(seconds):
            self.second += 1
            for feed, ms in cost_ms.items():
                for _ in range(round(self.control.fps(feed))):
                    self.workload.looked_at(feed, ms * 1_000_000)
            self.governing(at(1000 * self.second))
        return {feed: self.control.fps(feed) for feed in ("hall", "gate")}


def test_heat_lowers_what_the_feeds_may_take_and_it_is_said(caplog):
    house = House()
    caplog.set_level(logging.INFO)
    house.heat = Heat(85.0)

    assert house.run(5) == {"hall": 7.5, "gate": 7.5}

    (line,) = [record for record in caplog.records if record.name == "edged.app.governing"]
    assert line.levelname == "WARNING"
    assert line.getMessage() == (
        "Feeds take fewer frames, too hot: hall 7.5 of 10, gate 7.5 of 10 frames/s (the processor has 85 °C)"
    )
    assert house.governing.slowed == "too hot: hall 7.5 of 10, gate 7.5 of 10 frames/s"

    house.heat = Heat(50.0)
    assert house.run(40) == {"hall": 10, "gate": 10}
    assert caplog.messages[-1].startswith("All feeds take as many frames as configured again")
    assert house.governing.slowed == ""


def test_the_greedy_feed_is_cut_and_the_cheap_one_is_not():
    house = House()

    allowed = house.run(30, hall=150, gate=5)

    assert allowed["gate"] == 10
    assert 2 <= allowed["hall"] < 7
    assert house.governing.load == pytest.approx(0.8, abs=0.2)


def test_switched_off_it_measures_and_changes_nothing():
    house = House(enabled=False)
    house.heat = Heat(95.0, ("too hot",))

    assert house.run(60, hall=50) == {"hall": 10, "gate": 10}
    assert house.governing.load == pytest.approx(0.5, abs=0.05)
    assert house.governing.slowed == ""
    assert house.governing.heat.celsius == 95.0


def test_a_clip_that_is_replayed_keeps_its_rate_and_is_not_called_slowed():
    house = House(replays=("gate",))

    rates = house.run(30, hall=1, gate=95)
    house.heat = Heat(85.0)
    hot = house.run(30, hall=1, gate=95)

    assert rates == {"hall": 10, "gate": 10}
    assert hot["hall"] < 10
    assert hot["gate"] == 10
    assert "gate" not in house.governing.slowed
    assert house.governing.load > 0.9
