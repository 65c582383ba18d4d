"""Somebody is erased while they stand in front of the camera and the broker is away."""

from bench.api import ApiDaemon
from bench.daemon import PROJECT, edged, eventually
from bench.ports import listening
from builders.namespaces import a_store, raw_bytes
from edged.store.outbox import Outbox

SAMPLE = PROJECT / "edged" / "cli" / "sample"
NAME, CUSTOM_ID = "Zuzanna Quixwold", "staff-quixwold-77"


def settings(port):
    return {
        "feeds": [
            {
                "id": "porch",
                "fps": 5,
                "source": {
                    "type": "file",
                    "path": str(SAMPLE / "scene.mp4"),
                    "pace": "realtime",
                    "loop": True,
                },
            }
        ],
        "sinks": [
            {"type": "webhook", "url": f"http://127.0.0.1:{port}/", "send": ["job", "event", "presence"]}
        ],
        "history": {"pictures": {"keep": True}},
    }


def pictures_of(data_dir):
    with a_store(data_dir) as store:
        return [row[0] for row in store.connection.execute("SELECT jpeg FROM picture")]


def test_nothing_of_them_is_left_in_any_file(tmp_path):
    refuses = listening(b"HTTP/1.1 503 Not now\r\nContent-Length: 0\r\n\r\n")
    with refuses as port, ApiDaemon(tmp_path, settings(port)) as daemon:
        added = edged(
            *("identities", "add", NAME, SAMPLE / "eileen-collins.jpg", "--custom-id", CUSTOM_ID),
            *("--data-dir", daemon.data_dir),
        )
        assert added.returncode == 0, added.stderr
        with a_store(daemon.data_dir) as store:
            (her,) = store.identities()
            face = next(iter(store.face_records(her.id)))
        chip, embedding = face.png[3000:3200], face.vectors[0][1][:64]
        daemon.start()
        daemon.wait_until_ready()
        outbox = Outbox(daemon.data_dir, may_replace=False)
        eventually(lambda: outbox.mentions_of("home", [her.id]).mentioning >= 2, 60, daemon.log_text)
        eventually(lambda: pictures_of(daemon.data_dir), 30, daemon.log_text)
        pictures = pictures_of(daemon.data_dir)

        done = edged("erase", CUSTOM_ID, "--yes", "--data-dir", daemon.data_dir)

        assert done.returncode == 0, done.stderr
        assert "messages not sent yet changed" in done.stdout
        eventually(lambda: "1 removed" in daemon.log_text(), 30, daemon.log_text)
        assert outbox.mentions_of("home", [her.id]).mentioning == 0
        outbox.close()
        assert daemon.stop() == 0

    content = raw_bytes(daemon.data_dir)
    assert her.id.encode() in content, "the bare id stays, as a tombstone"
    for what in (NAME.encode(), CUSTOM_ID.encode(), f'"identityId":"{her.id}"'.encode(), chip, embedding):
        assert what not in content
    assert all(picture[2000:2200] not in content for picture in pictures)
