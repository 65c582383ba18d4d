"""People nobody has named, in real footage: one group each, the same again, and known as soon as named."""

import itertools
import json
import random

import cv2
import pytest

from bench.daemon import CLIPS, CLIPS_OF, Daemon, edged, eventually, json_lines
from builders.recognition import at
from builders.scenes import real_models
from edged.domain.frame import Frame
from edged.pipeline.feed import FeedPipeline
from edged.pipeline.unknown_people import Grouping, UnknownPeople
from edged.recognition.gallery import Gallery
from edged.recognition.grouping import GroupBook, UnknownTrack
from edged.recognition.wire import Origin
from edged.settings.feeds import Feed
from edged.settings.root import Settings
from edged.settings.sinks import ConsoleSink
from edged.settings.sources import FileSource

pytestmark = [
    pytest.mark.footage,
    pytest.mark.skipif(not CLIPS.is_dir(), reason=f"the shared footage is not at {CLIPS}"),
]

PERSON_OF = {clip: person for person, clips in CLIPS_OF.items() for clip in clips}
ORDERS = 200


def a_book(false_merge):
    calibration = real_models().calibrated()
    return GroupBook(calibration, false_merge, most_groups=500, new_visit_after_ms=0)


def unknown_tracks(clip):
    """The tracks that the pipeline would have a clip's people grouped by."""
    settings = Settings(feeds=(Feed(id=clip, source=FileSource(path=clip)),), sinks=(ConsoleSink(),))
    models, told, book = real_models(), [], a_book(1e-4)
    grouping = Grouping(
        book=lambda: book,
        tell=told.append,
        calibration=models.calibrated(),
        model_hash=models.embedder.model_hash,
        keep_chips=False,
    )
    pipeline = FeedPipeline(
        Origin("bench", "home", clip, 1, is_replay=True), settings, models, UnknownPeople(clip, grouping)
    )
    film = cv2.VideoCapture(str(CLIPS / clip))
    for number in itertools.count(1):
        is_there, pixels = film.read()
        if not is_there:
            break
        pipeline.process(Frame(clip, number, at(number * 33), pixels), Gallery.empty())
    film.release()
    pipeline.end(at(number * 33))
    last = {news.track_id: news for news in told}
    return [
        UnknownTrack(one.track_id, one.mean, one.effective, one.first_seen_ms, one.last_seen_ms)
        for one in last.values()
    ]


@pytest.fixture(scope="module")
def tracks():
    return [(person, track) for clip, person in PERSON_OF.items() for track in unknown_tracks(clip)]


@pytest.mark.parametrize("false_merge", [1e-4, 1e-5, 1e-8])
def test_everybody_is_one_group_in_every_order(tracks, false_merge):
    assert {person for person, _ in tracks} == set(CLIPS_OF)
    chance = random.Random(3)
    for _ in range(ORDERS):
        chance.shuffle(tracks)
        book = a_book(false_merge)

        groups = [(person, book.assign(track)[0].group_id) for person, track in tracks]

        assert len(set(groups)) == len({person for person, _ in groups}) == len({g for _, g in groups})


def settings(folder, data_dir, *clips):
    return {
        "data_dir": str(data_dir),
        "feeds": [
            {"id": clip.removesuffix(".mkv"), "source": {"type": "file", "path": str(CLIPS / clip)}}
            for clip in clips
        ],
        "sinks": [{"type": "file", "path": str(folder / "told"), "send": ["job", "event", "presence"]}],
    }


def listed(data_dir):
    told = edged("groups", "list", "--json", "--data-dir", data_dir)
    assert told.returncode == 0, told.stderr
    return json.loads(told.stdout)


def run(folder, data_dir, *clips):
    """What a daemon tells of clips, from its start to its end."""
    folder.mkdir()
    with Daemon(folder, settings(folder, data_dir, *clips)) as daemon:
        assert daemon.run_to_the_end() == 0, daemon.log_text()
    return json_lines(folder / "told")


def test_a_stranger_who_comes_again_is_told_so_and_is_known_once_named(tmp_path):
    data_dir = tmp_path / "data"
    once = run(tmp_path / "once", data_dir, "bird.mkv")
    again = run(tmp_path / "again", data_dir, "milk.mkv", "eat.mkv")

    (group, other) = sorted(listed(data_dir), key=lambda one: one["trackCount"], reverse=True)
    (came,) = [message for message in once if message.get("type") == "unknown"]
    assert (came["groupId"], came["seenBefore"]) == (group["id"], 0)
    back = next(m for m in again if m.get("type") == "unknown" and m["feedId"] == "milk")
    assert back["groupId"] == group["id"]
    assert back["firstSeenAt"] == came["firstSeenAt"]
    final = next(m for m in again if m.get("status", "").startswith("COMPLETED") and m["feedId"] == "milk")
    assert {o["edge"]["groupId"] for i in final["images"] for o in i["objects"]} == {group["id"]}
    assert any(p["groupId"] == group["id"] for m in again for p in m.get("persons", ()))
    assert (group["trackCount"], other["trackCount"]) == (2, 1)

    assert edged("groups", "name", group["id"][:6], "Carl", "--data-dir", data_dir).returncode == 0
    known = run(tmp_path / "known", data_dir, "milk.mkv", "eat.mkv")

    told = {m["feedId"]: (m["type"], m.get("name")) for m in known if m.get("type") in ("known", "unknown")}
    assert told == {"milk": ("known", "Carl"), "eat": ("unknown", None)}
    assert [one["id"] for one in listed(data_dir)] == [other["id"]]


def test_a_running_daemon_knows_whoever_is_named(tmp_path):
    source = {"type": "file", "path": str(CLIPS / "book.mkv"), "pace": "realtime", "loop": True}
    config = settings(tmp_path, tmp_path / "data") | {"feeds": [{"id": "hall", "source": source}]}
    with Daemon(tmp_path, config) as daemon:
        daemon.start()
        eventually(lambda: daemon.data_dir.is_dir() and listed(daemon.data_dir), 60, daemon.log_text)
        (group,) = listed(daemon.data_dir)

        named = edged("groups", "name", group["id"], "Dora", "--data-dir", daemon.data_dir)
        assert named.returncode == 0, named.stderr

        eventually(
            lambda: any(m.get("name") == "Dora" and "type" in m for m in json_lines(tmp_path / "told")),
            30,
            daemon.log_text,
        )
        assert daemon.stop() == 0, daemon.log_text()
    assert listed(tmp_path / "data") == [], "nothing of Dora came back as a stranger"


def test_where_groups_are_off_nothing_of_strangers_is_kept_or_told(tmp_path):
    data_dir = tmp_path / "data"
    run(tmp_path / "on", data_dir, "eat.mkv")
    assert len(listed(data_dir)) == 1

    off = tmp_path / "off"
    off.mkdir()
    with Daemon(off, settings(off, data_dir, "hungry.mkv") | {"groups": {"enabled": False}}) as daemon:
        assert daemon.run_to_the_end() == 0, daemon.log_text()
        assert "were deleted, because `groups` is off" in daemon.log_text()

    assert "groupId" not in (off / "told").read_text()
    assert listed(data_dir) == []
