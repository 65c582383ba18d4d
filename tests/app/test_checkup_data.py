import os
import socket
from concurrent.futures import Future

import pytest

from bench.mosquitto import free_port
from bench.rtsp import RtspServer
from builders.doctor import SCENE, a_configuration, by_name, examined
from builders.namespaces import HandClock, Ids, a_new_face
from edged.app.checkup.examination import Examination
from edged.app.checkup.feeds import Measured, awaited, measure
from edged.app.checkup.feeds import _judged as judged
from edged.app.checkup.finding import Health
from edged.camera.factory import make_source
from edged.delivery.route import Route
from edged.domain.message import Message, MessageKind
from edged.settings.feeds import EVERY_DAY, Feed
from edged.settings.sources import FileSource
from edged.store.feed_switches import FeedSwitches
from edged.store.namespace_files import namespace_path
from edged.store.namespace_store import NamespaceStore
from edged.store.outbox import Outbox
from edged.system.clock import SystemClock
from edged.system.lock import FolderLock


def enrolled(folder, namespace="home"):
    with NamespaceStore.open(namespace_path(folder, namespace), HandClock(), Ids()) as store:
        store.add_identity("Ada", [a_new_face(1, chip=True)])


def test_every_namespace_is_counted_also_one_that_no_feed_has(tmp_path):
    enrolled(tmp_path / "data", "home")
    enrolled(tmp_path / "data", "shed")

    found = by_name(examined(a_configuration(tmp_path), "store", with_fsck=True)[1])

    assert "1 people, 1 faces" in found["namespace home"].seen
    assert "1 people" in found["namespace shed"].seen
    assert "every invariant holds" in found["namespace shed"].seen
    assert found["disk"].health in {Health.WELL, Health.DOUBTFUL}
    assert "median" in found["disk"].seen


def test_a_namespace_that_is_no_database_is_wrong_and_the_others_are_looked_at(tmp_path):
    enrolled(tmp_path / "data", "shed")
    (tmp_path / "data" / "namespaces" / "home.db").write_bytes(b"no database" * 1000)

    found = by_name(examined(a_configuration(tmp_path), "store")[1])

    assert found["namespace home"].health is Health.ILL
    assert found["namespace shed"].health is Health.WELL


def a_message(at_ms):
    return Message(
        kind=MessageKind.JOB,
        namespace="home",
        feed_id="hall",
        subject_id="job",
        sequence=1,
        is_final=True,
        body=b"{}",
        at_ms=at_ms,
    )


def test_what_waits_is_told_by_sink_and_a_clock_that_went_back_is_noticed(tmp_path):
    later = SystemClock().moment().plus_ms(7_200_000)
    outbox = Outbox(tmp_path / "data", [Route("console", frozenset({MessageKind.JOB}))])
    outbox.begin(later, "boot")
    outbox.commit([a_message(later.utc_ms)], later)
    outbox.close()

    found = by_name(examined(a_configuration(tmp_path), "store")[1])["outbox"]

    assert found.health is Health.DOUBTFUL
    assert "1 messages wait" in found.seen
    assert "`console` waits with 1" in found.seen
    assert "the clock went back" in found.seen


def test_looking_leaves_the_folder_as_it_was(tmp_path):
    enrolled(tmp_path / "data")
    config = a_configuration(tmp_path)
    content = {path: path.read_bytes() for path in (tmp_path / "data").rglob("*.db")}
    examined(config)
    assert {path: path.read_bytes() for path in (tmp_path / "data").rglob("*.db")} == content
    # SQLite's own log and index may be there after reading; nothing else.
    assert {path.name for path in (tmp_path / "data").rglob("*")} <= {
        "namespaces",
        "home.db",
        "home.db-wal",
        "home.db-shm",
    }


def test_what_others_may_read_or_change_is_wrong(tmp_path):
    config = a_configuration(tmp_path)
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    (secrets / "mqtt").write_text("x")
    (secrets / "mqtt").chmod(0o644)
    config.chmod(0o666)

    seen = [one for one in examined(config, "configuration")[1] if one.what == "permissions"]

    assert [one.health for one in seen][:2] == [Health.ILL, Health.ILL]
    assert "can be written by others" in seen[0].seen
    assert str(secrets / "mqtt") in seen[1].seen


def test_a_device_that_is_not_there_is_named(tmp_path):
    feeds = [{"id": "hall", "source": {"type": "usb", "device": "/dev/video97"}}]
    found = examined(a_configuration(tmp_path, feeds=feeds), "configuration")[1]
    assert any("/dev/video97 is not there" in one.seen and one.health is Health.ILL for one in found)


def test_a_secret_that_is_nowhere_stops_only_what_needs_it(tmp_path):
    config = a_configuration(tmp_path, sinks=[{"type": "mqtt", "host": "127.0.0.1", "username": "edged"}])
    login = "username: edged"
    config.write_text(config.read_text().replace(login, f"{login}\n  password: !secret nowhere"))

    found = by_name(examined(config)[1])

    assert found["secrets"].health is Health.ILL
    assert found["sink mqtt"].health is Health.ILL
    assert found["data folder"].health is Health.WELL


def test_a_running_daemon_is_seen_by_its_lock(tmp_path):
    config = a_configuration(tmp_path)
    (tmp_path / "data").mkdir()
    with FolderLock(tmp_path / "data"):
        found = by_name(examined(config, "service")[1])["daemon"]
    assert f"process {os.getpid()} runs" in found.seen


def test_a_camera_that_refuses_while_the_daemon_runs_is_doubtful_not_wrong(tmp_path):
    source = {"type": "rtsp", "url": "rtsp://127.0.0.1:9/live", "open_timeout": "200 ms"}
    config = a_configuration(tmp_path, feeds=[{"id": "door", "source": source}])
    (tmp_path / "data").mkdir()
    with FolderLock(tmp_path / "data"):
        found = by_name(examined(config, "feeds", seconds=0.2)[1])["feed door"]
    assert found.health is Health.DOUBTFUL
    assert "the daemon runs" in found.seen


@pytest.mark.parametrize("why", ["switched off", "off by schedule"])
def test_the_camera_of_a_feed_that_is_off_is_left_alone(tmp_path, why):
    with socket.create_server(("127.0.0.1", 0)) as camera:
        feed = {
            "id": "door",
            "source": {"type": "rtsp", "url": f"rtsp://127.0.0.1:{camera.getsockname()[1]}/"},
        }
        if why == "switched off":
            FeedSwitches(tmp_path / "data").set("door", is_on=False)
        else:
            another_day = EVERY_DAY[(SystemClock().moment().utc_ms // 86_400_000 + 3 + 3) % 7]
            feed["schedule"] = [{"days": [another_day], "begin": "12:00", "end": "12:01"}]
        found = by_name(examined(a_configuration(tmp_path, feeds=[feed]), "feeds")[1])["feed door"]
        assert (found.health, found.seen) == (Health.WELL, f"{why}: its camera is left alone")
        camera.setblocking(False)
        with pytest.raises(BlockingIOError):
            camera.accept()


def test_no_camera_is_looked_through_where_the_switches_cannot_be_read(tmp_path):
    source = {"type": "rtsp", "url": "rtsp://127.0.0.1:9/live"}
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "switched-off").write_text("no folder")
    config = a_configuration(tmp_path, feeds=[{"id": "door", "source": source}])
    found = by_name(examined(config, "feeds")[1])["feed door"]
    assert found.health is Health.ILL
    assert "the switches of the feeds" in found.seen


def a_feed(fps=10.0):
    return Feed(id="hall", source=FileSource(path=str(SCENE)), fps=fps)


def a_measurement(gaps_ms):
    stamps = [0]
    for gap in gaps_ms:
        stamps.append(stamps[-1] + gap)
    return Measured((640, 480), "ffmpeg h264 (native)", stamps, [4] * len(stamps))


def test_an_even_stream_is_well_and_its_figures_are_told():
    finding = judged("feed hall", a_feed(), a_measurement([40] * 50), is_live=True, is_shared=False)
    assert finding.health is Health.WELL
    assert finding.seen == (
        "640 x 480, 25.0 frames/s, longest gap 40 ms, decoding takes 4 ms (median),"
        " decoded by ffmpeg h264 (native)"
    )


def test_a_stream_that_stalls_is_doubtful():
    gaps = [40] * 25 + [1500] + [40] * 25
    finding = judged("feed hall", a_feed(), a_measurement(gaps), is_live=True, is_shared=False)
    assert finding.health is Health.DOUBTFUL
    assert "longest gap 1500 ms" in finding.seen


def test_a_camera_slower_than_what_is_configured_is_doubtful():
    finding = judged("feed hall", a_feed(15), a_measurement([200] * 15), is_live=True, is_shared=False)
    assert finding.health is Health.DOUBTFUL
    assert "fewer than the 15 configured" in finding.seen


def test_a_clip_in_real_time_is_measured_at_its_own_pace():
    clock = SystemClock()
    source = make_source(FileSource(path=str(SCENE), pace="realtime"), SCENE.parent, clock)
    measured = measure(source, 10.0, clock, 0.6)
    assert measured.size_px == (640, 480)
    assert 1 < measured.rate < 100, "not as fast as it can be decoded"
    assert 1 <= len(measured.decode_ms) <= len(measured.stamps_ms)


def test_sections_can_be_chosen_and_the_configuration_is_read_all_the_same(tmp_path):
    begun = []
    examination = Examination(
        a_configuration(tmp_path), SystemClock(), sections=("store",), begun=begun.append
    )
    assert {finding.section for finding in examination.findings()} == {"store"}
    assert begun == ["store"]


def test_a_damaged_outbox_is_told_and_left_as_it_is(tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    damaged = b"no database" * 4000
    (data / "outbox.db").write_bytes(damaged)

    found = by_name(examined(a_configuration(tmp_path), "store")[1])["outbox"]

    assert found.health is Health.ILL
    assert (data / "outbox.db").read_bytes() == damaged, "only the daemon may put it aside"


def test_a_camera_that_nobody_answers_for_is_named(tmp_path):
    source = {"type": "rtsp", "url": f"rtsp://127.0.0.1:{free_port()}/live"}
    config = a_configuration(tmp_path, feeds=[{"id": "door", "source": source}])
    found = by_name(examined(config, "feeds")[1])["feed door"]

    assert found.health is Health.ILL
    assert found.remedy


def test_a_cameras_real_rate_and_decoder_are_those_of_ffmpegs_stream_mapping(tmp_path):
    with RtspServer(SCENE, fps=20) as camera:
        source = {"type": "rtsp", "url": camera.url, "backend": "ffmpeg"}
        config = a_configuration(tmp_path, feeds=[{"id": "door", "source": source}])
        found = by_name(examined(config, "feeds", seconds=0.5)[1])["feed door"]

    assert found.health is not Health.ILL, found
    assert "decoded by ffmpeg h264 (native)" in found.seen
    assert "frames/s, longest gap" in found.seen


def test_a_key_that_others_may_read_is_wrong(tmp_path):
    (tmp_path / "key.pem").write_text("key")
    (tmp_path / "key.pem").chmod(0o640)
    tls = {"certificate_file": "cert.pem", "key_file": "key.pem"}
    config = a_configuration(tmp_path, http={"tls": tls})
    seen = [one.seen for one in examined(config, "configuration")[1] if one.health is Health.ILL]
    assert seen == [f"the key {tmp_path / 'key.pem'} can be read by others"]


def test_a_feed_whose_read_never_returns_does_not_hold_the_doctor_up():
    found = awaited("feed hall", Future(), 0.01)

    assert found.health is Health.ILL
    assert "in spite of its time-outs" in found.seen
