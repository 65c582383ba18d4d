"""The threads that fetch pictures."""

import pytest

from builders.capture import HandClock
from builders.requests import LONG_S, Web, until
from edged.pipeline.admission import Admission
from edged.pipeline.fetchers import Fetchers, Wanted
from edged.settings.requests import Requests


class OddWeb(Web):
    """A network that fails in a way nobody foresaw."""

    def fetch(self, url):
        if url == "odd":
            raise KeyError(url)
        return super().fetch(url)


@pytest.fixture
def web():
    return OddWeb(a1=b"A1", a2=b"A22", b1=b"B1")


@pytest.fixture
def room():
    return Admission(Requests(), HandClock())


@pytest.fixture
def fetchers(web, room):
    fetchers = Fetchers(web, room, threads=1)
    yield fetchers
    room.close()
    fetchers.close()
    assert fetchers.join(LONG_S)


def put(fetchers, got, owner, url):
    fetchers.put(Wanted(owner, url, got.append, lambda reason: got.append(f"{url}: {reason}")))


def test_pictures_are_fetched_one_of_each_owner_in_turn(fetchers, web, room):
    got = []
    for owner, url in (("a", "a1"), ("a", "a2"), ("b", "b1")):
        put(fetchers, got, owner, url)
    fetchers.start()

    until(lambda: len(got) == 3)

    assert web.fetched == ["a1", "b1", "a2"]
    assert got == [b"A1", b"B1", b"A22"]
    assert room.held.bytes == 7, "what was fetched takes its room until it is given back"


def test_what_cannot_be_fetched_is_told_and_takes_no_room(fetchers, room, caplog):
    got = []
    fetchers.start()
    for url in ("gone", "odd", "a1"):
        put(fetchers, got, "a", url)

    until(lambda: len(got) == 3)

    assert got == ["gone: the server answered 404", "odd: a fault of edged itself; see its log", b"A1"]
    assert room.held.bytes == 2
    assert "KeyError" in caplog.text


def test_closing_ends_a_fetch_that_hangs(fetchers, web):
    got = []
    web.answers.clear()
    fetchers.start()
    put(fetchers, got, "a", "gone")
    put(fetchers, got, "a", "a2")
    until(lambda: web.fetched == ["gone"])

    fetchers.close()

    assert fetchers.join(LONG_S)
    put(fetchers, got, "a", "b1")
    assert web.fetched == ["gone"]
    assert got == [], "it did not fail: it was not done"
