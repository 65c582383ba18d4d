"""The short form of `scripts/simulate-week`: every trouble once."""

import pytest

from bench import mosquitto
from bench.mosquitto import Mosquitto
from simulated_week.house import HOUR_MS, House
from simulated_week.plan import BEGIN_MS
from simulated_week.story import Story

pytestmark = pytest.mark.skipif(not mosquitto.IS_INSTALLED, reason=mosquitto.WHY_NOT)


def test_whoever_reads_knows_the_truth_whatever_fails(tmp_path):
    with Mosquitto() as broker:
        house = House(tmp_path, broker, BEGIN_MS + 21 * HOUR_MS)
        try:
            Story(house, seed=5).each_trouble_once()
        finally:
            house.end()

    assert house.faults == []
    assert house.counts["quiet points"] > 25
    assert house.counts["starts of the daemon"] >= 2
    assert house.counts["events `known`"] > 5
    assert house.counts["events `delayed`"] > 0, "told after the broker was gone"
