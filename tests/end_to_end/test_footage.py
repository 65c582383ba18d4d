"""Real footage through the real daemon: who was there, exactly once, and nobody who was not."""

import json
import shutil

import pytest

from bench.daemon import BOTTLE, CLIPS, ENROLLED, Daemon, edged, enrol, eventually, final, json_lines, names

pytestmark = [
    pytest.mark.footage,
    pytest.mark.skipif(not CLIPS.is_dir(), reason=f"the shared footage is not at {CLIPS}"),
]

EXPECTED = {
    "brother.mkv": {"asl_A"},
    "milk.mkv": {"asl_C"},
    "learn.mkv": {"asl_D"},
    "eat.mkv": {"unknown"},
    "hungry.mkv": {"unknown"},
}


def settings(out, **feeds):
    return {
        "feeds": [
            {"id": feed, "source": {"type": "file", "path": str(CLIPS / clip)}}
            for feed, clip in feeds.items()
        ],
        "sinks": [{"type": "file", "path": str(out), "send": ["job"]}],
    }


@pytest.fixture(scope="module")
def enrolled(tmp_path_factory):
    folder = tmp_path_factory.mktemp("enrolled")
    enrol(folder / "data")
    return folder / "data"


@pytest.fixture
def data_dir(enrolled, tmp_path):
    """A copy of its own, so that every test begins with the same store."""
    return shutil.copytree(enrolled, tmp_path / "data")


def test_five_people_at_five_cameras_are_each_told_once_by_the_right_name(data_dir, tmp_path):
    feeds = {clip.removesuffix(".mkv"): clip for clip in EXPECTED}
    with Daemon(tmp_path, settings(tmp_path / "jobs", **feeds) | {"data_dir": str(data_dir)}) as daemon:
        assert daemon.run_to_the_end() == 0, daemon.log_text()

    jobs = final(json_lines(tmp_path / "jobs"))

    assert {job["feedId"]: names(job) for job in jobs} == {
        clip.removesuffix(".mkv"): who for clip, who in EXPECTED.items()
    }
    assert len(jobs) == len(EXPECTED), "one final job a clip"
    assert {job["status"] for job in jobs} == {"COMPLETED_SUCCESSFULLY"}


def test_things_that_are_no_faces_make_no_job(data_dir, tmp_path):
    with Daemon(
        tmp_path, settings(tmp_path / "jobs", kitchen=BOTTLE) | {"data_dir": str(data_dir)}
    ) as daemon:
        assert daemon.run_to_the_end() == 0, daemon.log_text()

    assert json_lines(tmp_path / "jobs") == []


def test_a_clip_replayed_gives_the_same_bytes(enrolled, tmp_path):
    told = []
    for name in ("once", "again"):
        folder = tmp_path / name
        folder.mkdir()
        data = shutil.copytree(enrolled, folder / "data")
        config = settings(folder / "jobs", hall="learn.mkv") | {"data_dir": str(data)}
        config["sinks"][0]["send"] = ["job", "event", "presence"]
        with Daemon(folder, config) as daemon:
            assert daemon.run_to_the_end() == 0, daemon.log_text()
        told.append((folder / "jobs").read_bytes())

    assert told[0] == told[1]
    assert len(told[0]) > 0


def test_a_clip_replayed_on_the_same_data_gives_the_same_bytes(data_dir, tmp_path):
    config = settings(tmp_path / "jobs", hall="learn.mkv", room="eat.mkv") | {"data_dir": str(data_dir)}
    with Daemon(tmp_path, config) as daemon:
        assert daemon.run_to_the_end() == 0, daemon.log_text()
        once = sorted((tmp_path / "jobs").read_text().splitlines())
        (tmp_path / "jobs").unlink()

        assert daemon.run_to_the_end() == 0, daemon.log_text()

    assert sorted((tmp_path / "jobs").read_text().splitlines()) == once


def test_a_replay_after_one_that_was_killed_never_contradicts_it(data_dir, tmp_path):
    config = settings(tmp_path / "jobs", kitchen=BOTTLE, hall="learn.mkv") | {"data_dir": str(data_dir)}
    with Daemon(tmp_path, config) as daemon:
        daemon.start("--exit-when-done")
        eventually(lambda: json_lines(tmp_path / "jobs"), 60, daemon.log_text)
        daemon.kill()

        assert daemon.run_to_the_end() == 0, daemon.log_text()

    told = {}
    for job in json_lines(tmp_path / "jobs"):
        assert told.setdefault((job["id"], job["edge"]["sequence"]), job) == job
    assert {job_id for job_id, _ in told} == {job["id"] for job in final(told.values())}


def test_enrolment_from_a_clip_is_listed(enrolled):
    listed = edged("identities", "list", "--data-dir", enrolled, "--json")

    assert {person["name"] for person in json.loads(listed.stdout)} == set(ENROLLED)
