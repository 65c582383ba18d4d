"""Starting, reloading and stopping the real daemon."""

import json
import signal
import socket
import subprocess
import sys
import time

import pytest

from bench.clips import pattern
from bench.daemon import PROJECT, Daemon, edged, eventually, final, json_lines, names
from bench.rtsp import RtspServer

PORTRAIT = PROJECT / "edged" / "cli" / "sample" / "eileen-collins.jpg"


@pytest.fixture(scope="module")
def gaze(tmp_path_factory):
    """A clip in which one person looks at the camera and hardly moves; made from the sample portrait."""
    clip = tmp_path_factory.mktemp("clips") / "gaze.mp4"
    moving = "scale=540:-2,pad=640:560:x=40:y=0:color=gray,crop=600:480:x='20+15*sin(t*2)':y=10"
    filters = f"{moving},noise=alls=6:allf=t,format=yuv420p"
    encoding = ["-t", "4", "-r", "15", "-vf", filters, "-c:v", "libx264", "-preset", "fast"]
    subprocess.run(["ffmpeg", "-v", "error", "-loop", "1", "-i", PORTRAIT, *encoding, clip], check=True)
    return clip


def settings(folder, clip, **changes):
    return {
        "feeds": [
            {"id": "hall", "source": {"type": "file", "path": str(clip), "pace": "realtime", "loop": True}}
        ],
        "sinks": [{"type": "file", "path": str(folder / "told"), "send": ["job", "event", "presence"]}],
    } | changes


def told(folder):
    return json_lines(folder / "told")


def jobs(folder):
    return [message for message in told(folder) if "status" in message]


def events(folder):
    return [message for message in told(folder) if "type" in message]


def test_sigterm_ends_the_open_job_and_says_that_nobody_is_there(tmp_path, gaze):
    with Daemon(tmp_path, settings(tmp_path, gaze)) as daemon:
        daemon.start()
        eventually(lambda: jobs(tmp_path), 60, daemon.log_text)

        assert daemon.stop() == 0, daemon.log_text()

        # What the sink had no time for is in the outbox, and goes out first the next time.
        daemon.start()
        eventually(lambda: len(final(jobs(tmp_path))) >= 1, 60, daemon.log_text)
        daemon.stop()
        first = final(jobs(tmp_path))[0]
        assert first["status"] == "COMPLETED_SUCCESSFULLY"
        assert "Traceback" not in daemon.log_text()
        assert [m for m in told(tmp_path) if "persons" in m][-1]["persons"] == []


def test_a_person_enrolled_while_it_runs_is_known_and_a_removed_one_unknown(tmp_path, gaze):
    with Daemon(tmp_path, settings(tmp_path, gaze)) as daemon:
        daemon.start()
        eventually(lambda: any(e["type"] == "unknown" for e in events(tmp_path)), 60, daemon.log_text)

        assert edged("identities", "add", "Eileen", PORTRAIT, "--data-dir", daemon.data_dir).returncode == 0
        eventually(lambda: any(e.get("name") == "Eileen" for e in events(tmp_path)), 30, daemon.log_text)

        assert edged("identities", "remove", "Eileen", "--yes", "--data-dir", daemon.data_dir).returncode == 0
        eventually(lambda: events(tmp_path)[-1]["type"] == "unknown", 30, daemon.log_text)
        assert daemon.stop() == 0
        assert names(jobs(tmp_path)[-1]) == {"unknown"}


def test_a_feed_that_is_switched_off_is_not_looked_at_and_stays_off_over_a_restart(tmp_path, gaze):
    with Daemon(tmp_path, settings(tmp_path, gaze)) as daemon:
        daemon.start()
        eventually(lambda: events(tmp_path), 60, daemon.log_text)

        place = ["--config", daemon.config, "--data-dir", daemon.data_dir]
        assert edged("feeds", *place, "off", "hall").returncode == 0
        eventually(lambda: events(tmp_path)[-1]["type"] == "left", 30, daemon.log_text)
        assert [m for m in told(tmp_path) if "persons" in m][-1]["persons"] == []
        assert jobs(tmp_path)[-1]["status"] == "COMPLETED_SUCCESSFULLY"
        daemon.kill()
        daemon.start()
        eventually(lambda: daemon.log_text().count("feed hall: switched off") == 2, 30, daemon.log_text)
        before = len(events(tmp_path))

        assert edged("feeds", *place, "on", "hall").returncode == 0
        eventually(lambda: len(events(tmp_path)) > before, 60, daemon.log_text)
        assert daemon.stop() == 0


def test_sighup_takes_over_what_it_can_and_says_what_needs_a_restart(tmp_path, gaze):
    with Daemon(
        tmp_path, settings(tmp_path, gaze, sightings={"max_age": "1 s", "close_after": "1 s"})
    ) as daemon:
        daemon.start()
        eventually(lambda: jobs(tmp_path), 60, daemon.log_text)
        text = daemon.config.read_text()
        changed = text.replace("close_after: 1 s", "close_after: 1 s\n  bounding_box: pixels").replace(
            "id: hall", "id: room"
        )
        daemon.config.write_text(changed)

        daemon.process.send_signal(signal.SIGHUP)

        eventually(lambda: "reloaded" in daemon.log_text(), 30, daemon.log_text)
        assert "sightings.bounding_box" in daemon.log_text()
        assert "feeds[0].id" in daemon.log_text(), "needs a restart"
        eventually(lambda: jobs(tmp_path)[-1]["images"][0]["objects"][0]["boundingBox"]["xMax"] > 1, 30)

        daemon.config.write_text("feeds: nonsense\n")
        daemon.process.send_signal(signal.SIGHUP)
        eventually(lambda: "old one stays" in daemon.log_text(), 30, daemon.log_text)
        before = len(jobs(tmp_path))
        eventually(lambda: len(jobs(tmp_path)) > before, 30, daemon.log_text)
        assert daemon.stop() == 0


def test_systemd_is_told_of_the_start_of_progress_and_of_the_end(tmp_path, gaze):
    heard = []
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.bind(str(tmp_path / "notify"))
        notify.settimeout(60)
        with Daemon(tmp_path, settings(tmp_path, gaze)) as daemon:
            daemon.start(NOTIFY_SOCKET=str(tmp_path / "notify"), WATCHDOG_USEC="1000000", WATCHDOG_PID="")
            while "WATCHDOG=1" not in heard:
                heard += notify.recv(4096).decode().splitlines()
            assert daemon.stop() == 0
        while "STOPPING=1" not in heard:
            heard += notify.recv(4096).decode().splitlines()

    assert heard.index("READY=1") < heard.index("WATCHDOG=1") < heard.index("STOPPING=1")
    assert any(line.startswith("STATUS=1 of 1 feeds capturing") for line in heard)


def test_a_camera_that_has_gone_silent_does_not_hold_up_the_stop(tmp_path):
    with RtspServer(pattern()) as camera:
        source = {"type": "rtsp", "url": camera.url, "read_timeout": "30 s"}
        config = settings(tmp_path, "", feeds=[{"id": "hall", "source": source}])
        with Daemon(tmp_path, config) as daemon:
            daemon.start()
            daemon.wait_until_ready()
            time.sleep(2)
            camera.pause()
            time.sleep(1)

            assert daemon.stop(timeout_s=10) == 0, daemon.log_text()


def test_a_camera_that_is_not_there_does_not_hold_up_the_start(tmp_path):
    source = {"type": "rtsp", "url": "rtsp://127.0.0.1:9/none"}
    with Daemon(tmp_path, settings(tmp_path, "", feeds=[{"id": "hall", "source": source}])) as daemon:
        daemon.start()
        daemon.wait_until_ready()
        eventually(
            lambda: "unreachable" in daemon.log_text() or "refused" in daemon.log_text(), 30, daemon.log_text
        )
        assert daemon.stop() == 0


def test_a_reader_that_goes_away_ends_the_daemon_quietly(tmp_path, gaze):
    with Daemon(
        tmp_path, settings(tmp_path, gaze, sinks=[{"type": "console", "send": ["presence"]}])
    ) as daemon:
        process = subprocess.Popen(
            [sys.executable, "-m", "edged", "run", "--config", daemon.config],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert json.loads(process.stdout.readline())["persons"] == []
        process.stdout.close()

        assert process.wait(60) == 0
        assert b"Traceback" not in process.stderr.read()
        process.stderr.close()


def test_another_embedder_knows_everybody_by_their_chips(tmp_path, gaze):
    config = settings(tmp_path, gaze, models={"embedder": "dlib-resnet-v1-weight-only-int8"})
    with Daemon(tmp_path, config) as daemon:
        assert edged("identities", "add", "Eileen", PORTRAIT, "--data-dir", daemon.data_dir).returncode == 0
        daemon.start()

        eventually(lambda: any(e.get("name") == "Eileen" for e in events(tmp_path)), 60, daemon.log_text)

        assert "1 faces were embedded anew" in daemon.log_text()
        assert daemon.stop() == 0
