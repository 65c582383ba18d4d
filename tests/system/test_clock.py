"""The machine's time."""

import time
from collections.abc import Iterator

import pytest

from edged.system.clock import local_time


@pytest.fixture
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    yield monkeypatch
    monkeypatch.undo()
    time.tzset()


def test_the_time_zone_may_change_while_the_program_runs(zone):
    zone.setenv("TZ", "UTC0")
    assert f"{local_time(1_700_000_000_000):%H:%M %z}" == "22:13 +0000"
    zone.setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3")
    assert f"{local_time(1_700_000_000_000):%H:%M %z}" == "23:13 +0100"
    assert f"{local_time(1_690_000_000_000):%H:%M %z}" == "06:26 +0200"
