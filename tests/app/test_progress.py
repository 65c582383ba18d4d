"""What the watchdog is told, of real parts of which one really hangs. Only the clock is moved by hand."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bench.daemon import eventually
from builders.capture import HandClock
from edged.app.composition import assemble
from edged.app.machinery import COMMIT_HANGS_AFTER_S, Machinery
from edged.settings.feeds import Feed
from edged.settings.root import Settings
from edged.settings.sinks import FileSink
from edged.settings.sources import FileSource


class House:
    """Started parts, and the moment that they believe it is."""

    def __init__(self, machinery: Machinery, clock: HandClock) -> None:
        self.machinery = machinery
        self.clock = clock

    def progresses(self) -> bool:
        """What the main thread would find now, all threads that can having turned meanwhile."""
        self.machinery.makes_progress(self.clock.moment())
        turned = {heart.name: heart.beats for heart in self.machinery._hearts()}

        def has_turned() -> bool:
            now = {heart.name: heart.beats for heart in self.machinery._hearts()}
            return all(now[name] > turned[name] for name in ("recogniser", "gallery-watch"))

        eventually(has_turned, 20)
        return self.machinery.makes_progress(self.clock.moment())


@contextmanager
def a_house(folder: Path, clip: Path, on_commit=None) -> Iterator[House]:  # type: ignore[no-untyped-def]
    source = FileSource(path=str(clip), pace="realtime")
    settings = Settings(
        feeds=(Feed(id="hall", namespace="home", source=source),),
        sinks=(FileSink(path=str(folder / "told")),),
    )
    clock = HandClock()
    machinery = assemble(settings, folder, clock, on_commit)
    machinery.start()
    try:
        yield House(machinery, clock)
    finally:
        machinery.stop()


@pytest.fixture
def no_clip(tmp_path: Path) -> Path:
    """A feed that fails and is tried again: no reason to start anew."""
    return tmp_path / "nothing.mp4"


def test_a_dead_camera_is_no_reason_to_start_anew(tmp_path: Path, no_clip: Path) -> None:
    with a_house(tmp_path, no_clip) as house:
        for _ in range(3):
            house.clock.pass_s(60)
            assert house.progresses()


def test_a_committer_that_hangs_is(tmp_path: Path, no_clip: Path) -> None:
    hangs, released = threading.Event(), threading.Event()

    def hang(_messages: object) -> None:
        hangs.set()
        released.wait(60)

    with a_house(tmp_path, no_clip, hang) as house:
        assert hangs.wait(20)
        assert house.progresses()

        for _ in range(round(COMMIT_HANGS_AFTER_S)):
            house.clock.pass_s(1)
            house.machinery.makes_progress(house.clock.moment())
        house.clock.pass_s(1)

        assert not house.progresses()
        assert house.machinery.heartbeats.wedged == ("committer",)
        assert "committer has stopped turning" in house.machinery.trouble()
        assert "committer has stopped turning" in house.machinery.status_line(house.clock.moment())
        assert not house.machinery.is_alive
        released.set()
