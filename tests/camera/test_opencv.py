"""OpenCV's options, which belong to the whole process."""

import os
import threading
from collections.abc import Iterator

import pytest

from edged.camera.opencv import _OPTIONS, _Options

LONG_S = 20


@pytest.fixture
def options(monkeypatch: pytest.MonkeyPatch) -> Iterator[_Options]:
    monkeypatch.delenv(_OPTIONS, raising=False)
    return _Options()


def in_thread(options: _Options, wanted: str, seen: list[str], go: threading.Event) -> threading.Thread:
    def run() -> None:
        with options.held(wanted):
            seen.append(os.environ[_OPTIONS])
            go.wait(LONG_S)

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def test_captures_with_the_same_options_open_side_by_side(options: _Options):
    go, seen = threading.Event(), []
    thread = in_thread(options, "a;1", seen, go)
    with options.held("a;1"):
        assert os.environ[_OPTIONS] == "a;1"
    go.set()
    thread.join(LONG_S)

    assert seen == ["a;1"]


def test_other_options_wait_until_nobody_needs_these(options: _Options):
    go, seen = threading.Event(), []
    go.set()
    with options.held("a;1"):
        thread = in_thread(options, "b;2", seen, go)
        thread.join(0.05)
        assert thread.is_alive()
        assert os.environ[_OPTIONS] == "a;1"
    thread.join(LONG_S)

    assert seen == ["b;2"]


def test_who_waits_is_not_passed_by_for_ever(options: _Options):
    """Feeds that try again and again with the same options let one with others through."""
    go, seen, done = threading.Event(), [], threading.Event()
    go.set()

    def persistent() -> None:
        while not done.is_set():
            with options.held("a;1"):
                pass

    hammers = [threading.Thread(target=persistent) for _ in range(2)]
    for hammer in hammers:
        hammer.start()
    thread = in_thread(options, "b;2", seen, go)
    thread.join(LONG_S)
    done.set()
    for hammer in hammers:
        hammer.join(LONG_S)

    assert seen == ["b;2"]


def test_what_the_owner_put_into_the_environment_is_kept(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(_OPTIONS, "fflags;nobuffer")
    with _Options().held("a;1"):
        assert os.environ[_OPTIONS] == "a;1|fflags;nobuffer"
