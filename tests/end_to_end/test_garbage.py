"""Garbage in: a clear error that names the place and the remedy, no traceback, nothing changed."""

import os
import shutil
import sqlite3
import subprocess

import pytest

from bench.daemon import PROJECT, Daemon, edged, eventually, json_lines

PORTRAIT = PROJECT / "edged" / "cli" / "sample" / "eileen-collins.jpg"
SCENE = PROJECT / "edged" / "cli" / "sample" / "scene.mp4"


def said(done, *words, code):
    """The command ended so, and said these words, without a traceback."""
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    for word in words:
        assert word in done.stderr
    return done.stderr


def test_a_text_file_as_clip_is_no_person(tmp_path):
    clip = tmp_path / "holiday.mp4"
    clip.write_text("this is not a film\n" * 100)

    said(edged("identities", "add", "Ada", clip, "--data-dir", tmp_path / "data"), "holiday.mp4", code=65)
    assert not list(tmp_path.rglob("*.db")) or nobody_in(tmp_path / "data")


def nobody_in(data_dir):
    return edged("identities", "list", "--json", "--data-dir", data_dir).stdout.strip() == "[]"


def test_half_a_jpeg_is_no_person(tmp_path):
    half = tmp_path / "half.jpg"
    half.write_bytes(PORTRAIT.read_bytes()[:12_000])

    said(
        edged("identities", "add", "Ada", half, "--data-dir", tmp_path / "data"), "half.jpg", "whole", code=65
    )
    said(edged("recognize", half, "--data-dir", tmp_path / "data"), "half.jpg", "whole", code=65)


def test_a_picture_without_a_face_is_no_person(tmp_path):
    wall = tmp_path / "wall.png"
    subprocess.run(
        ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "color=gray:s=320x240", "-frames:v", "1", wall],
        check=True,
    )

    said(
        edged("identities", "add", "Ada", wall, "--data-dir", tmp_path / "data"),
        "wall.png",
        "no face",
        code=65,
    )


def a_configuration(folder, **changes):
    return Daemon(
        folder,
        {
            "feeds": [{"id": "hall", "source": {"type": "file", "path": str(SCENE)}}],
            "sinks": [{"type": "file", "path": str(folder / "jobs")}],
        }
        | changes,
    )


def test_an_empty_model_is_refused_by_name_and_hash(tmp_path):
    models = shutil.copytree(PROJECT / "models", tmp_path / "models")
    (models / "face-landmarks.tflite").write_bytes(b"")
    with a_configuration(tmp_path, models={"directory": str(models)}) as daemon:
        assert daemon.run_to_the_end() == 72

        assert "face-landmarks" in daemon.log_text()
        assert "e3b0c44298fc" in daemon.log_text(), "the hash of nothing"
        assert "Traceback" not in daemon.log_text()


def test_ten_mistakes_in_the_configuration_are_told_all_at_once(tmp_path):
    config = tmp_path / "config.yaml"
    config.write_text(
        """\
devise: porch
log: {level: loud}
feeds:
  - id: front door
    fps: 1000
    source: {type: rtsp, url: "http://camera/stream", open_timeout: 5}
  - id: hall
    rotate: 45
    source: {type: tape, path: x}
sinks:
  - type: mqtt
    port: 99999
  - type: webhook
    url: ftp://somewhere
outbox: {max_age: 1 fortnight}
"""
    )

    told = said(edged("run", "--config", config), "devise", "device", code=78)

    for line in (1, 2, 4, 5, 6, 8, 9, 11, 12, 14, 15):
        assert f"line {line}" in told or f":{line}:" in told, told


def test_a_corrupt_namespace_is_moved_aside_and_the_daemon_goes_on(tmp_path):
    with a_configuration(tmp_path) as daemon:
        assert edged("identities", "add", "Ada", PORTRAIT, "--data-dir", daemon.data_dir).returncode == 0
        path = daemon.data_dir / "namespaces" / "home.db"
        path.write_bytes(os.urandom(40_000))

        assert daemon.run_to_the_end() == 0, daemon.log_text()

        assert "corrupt-" in daemon.log_text()
        assert list(path.parent.glob("home.db.corrupt-*"))
        assert "Traceback" not in daemon.log_text()
        assert {
            o["edge"].get("name")
            for j in json_lines(tmp_path / "jobs")
            for i in j["images"]
            for o in i["objects"]
        } >= {"Ada"}, "the last good snapshot knows her"


def test_a_corrupt_outbox_is_moved_aside_and_the_daemon_goes_on(tmp_path):
    with a_configuration(tmp_path) as daemon:
        daemon.data_dir.mkdir()
        (daemon.data_dir / "outbox.db").write_bytes(os.urandom(40_000))

        assert daemon.run_to_the_end() == 0, daemon.log_text()

        assert json_lines(tmp_path / "jobs")
        assert "Traceback" not in daemon.log_text()
        assert [path for path in daemon.data_dir.iterdir() if "corrupt" in path.name]


def test_a_locked_outbox_holds_jobs_up_and_loses_none(tmp_path):
    with a_configuration(tmp_path) as daemon:
        assert daemon.run_to_the_end() == 0
        expected = len(json_lines(tmp_path / "jobs"))
        (tmp_path / "jobs").unlink()
        blocker = sqlite3.connect(
            daemon.data_dir / "outbox.db", isolation_level=None, check_same_thread=False
        )
        daemon.start("--exit-when-done")
        daemon.wait_until_ready()
        blocker.execute("BEGIN IMMEDIATE")
        eventually(lambda: "cannot be written" in daemon.log_text(), 60, daemon.log_text)

        blocker.execute("ROLLBACK")
        blocker.close()

        assert daemon.wait(60) == 0, daemon.log_text()
        assert len(json_lines(tmp_path / "jobs")) == expected
        assert "Traceback" not in daemon.log_text()


def test_a_full_disk_is_told_and_nothing_is_lost_when_there_is_room_again(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", disk], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("a small disk can only be made by root")
    try:
        with a_configuration(tmp_path, data_dir=str(disk / "data")) as daemon:
            assert daemon.run_to_the_end() == 0, daemon.log_text()
            expected = len(json_lines(tmp_path / "jobs"))
            (tmp_path / "jobs").unlink()
            filler = disk / "filler"
            daemon.start("--exit-when-done")
            daemon.wait_until_ready()
            _fill(filler)
            eventually(lambda: "cannot be written" in daemon.log_text(), 60, daemon.log_text)

            filler.unlink()

            assert daemon.wait(60) == 0, daemon.log_text()
            assert len(json_lines(tmp_path / "jobs")) == expected
            assert "Traceback" not in daemon.log_text()
    finally:
        subprocess.run(["umount", "-l", disk], check=True)


def _fill(path):
    with path.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"\0" * 4096)
        except OSError:
            pass


def test_a_second_daemon_on_the_same_folder_is_refused(tmp_path):
    source = {"type": "file", "path": str(SCENE), "pace": "realtime", "loop": True}
    with a_configuration(tmp_path, feeds=[{"id": "hall", "source": source}]) as daemon:
        daemon.start()
        daemon.wait_until_ready()

        said(edged("run", "--config", daemon.config), str(daemon.process.pid), "data_dir", code=74)
        assert daemon.stop() == 0


def test_a_missing_configuration_is_told_with_where_to_begin(tmp_path):
    said(edged("run", "--config", tmp_path / "none.yaml"), "none.yaml", "config.example.yaml", code=78)
