"""`edged feeds`."""

import json

import pytest

from edged.cli.main import main
from edged.store.feed_switches import FeedSwitches

CONFIG = """
feeds:
  - id: hall
    source: {type: rtsp, url: "rtsp://camera/live"}
  - id: shop
    namespace: work
    source: {type: snapshot, url: "http://camera/snap.jpg"}
    schedule: [{days: [mon], begin: "08:00", end: "18:00"}]
  - id: clip
    source: {type: file, path: clip.mp4}
sinks: [{type: console}]
"""


@pytest.fixture
def run(tmp_path, capsys):
    (tmp_path / "config.yaml").write_text(CONFIG)

    def run(*words):
        place = ["--config", str(tmp_path / "config.yaml"), "--data-dir", str(tmp_path / "data")]
        code = main(["feeds", *place, *words])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def test_it_lists_the_feeds_with_their_switches_and_hours(run, tmp_path):
    FeedSwitches(tmp_path / "data").set("shop", is_on=False)

    code, out, _ = run()

    assert code == 0
    assert [line.split() for line in out.splitlines()] == [
        ["FEED", "NAMESPACE", "SOURCE", "SWITCH", "HOURS"],
        ["hall", "home", "rtsp", "on", "always"],
        ["shop", "work", "snapshot", "off", "mon", "08:00-18:00"],
        ["clip", "home", "file", "none", "none"],
    ]


def test_it_lists_them_as_json(run):
    _, out, _ = run("list", "--json")

    assert json.loads(out)[1] == {
        "id": "shop",
        "namespace": "work",
        "source": "snapshot",
        "switch": "on",
        "hours": "mon 08:00-18:00",
    }


def test_it_switches_a_feed_off_and_on(run, tmp_path):
    assert run("off", "hall")[:2] == (0, "hall: off\n")
    assert FeedSwitches(tmp_path / "data").off() == {"hall"}
    assert run("on", "hall")[:2] == (0, "hall: on\n")
    assert FeedSwitches(tmp_path / "data").off() == frozenset()


@pytest.mark.parametrize(("feed", "words"), [("attic", "no feed `attic`"), ("clip", "replays a clip")])
def test_what_cannot_be_switched_is_refused(run, feed, words):
    code, _, error = run("off", feed)

    assert code == 1
    assert words in error


@pytest.mark.parametrize("words", [["off"], ["on"], ["list", "hall"]])
def test_an_action_needs_its_feed(run, words):
    with pytest.raises(SystemExit) as ended:
        run(*words)

    assert ended.value.code == 2
