import json

import pytest

from bench.daemon import PROJECT, Daemon, edged
from bench.mosquitto import Mosquitto, Subscriber, free_port

SCENE = PROJECT / "edged" / "cli" / "sample" / "scene.mp4"


def a_configuration(folder, **changes):
    feeds = [{"id": "hall", "source": {"type": "file", "path": str(SCENE)}}]
    return Daemon(folder, {"feeds": feeds, "sinks": [{"type": "console"}]} | changes).config


def findings(config, *options):
    done = edged("doctor", "--config", config, "--json", *options)
    assert "Traceback" not in done.stderr
    return done.returncode, {
        finding["what"]: finding for finding in map(json.loads, done.stdout.splitlines())
    }


def test_a_sound_installation_is_found_sound(tmp_path):
    code, found = findings(a_configuration(tmp_path), "--fsck")

    assert code == 0
    assert {
        found[what]["health"] for what in ("Python", "runtime", "configuration", "data folder", "feed hall")
    } == {"ok"}
    assert "640 x 480" in found["feed hall"]["seen"]
    assert found["namespace home"]["health"] == "doubtful", "nobody is enrolled yet"
    assert "identities add" in found["namespace home"]["remedy"]


def test_for_people_each_wrong_thing_has_its_remedy_below_it(tmp_path):
    source = {"type": "file", "path": str(tmp_path / "none.mp4")}
    done = edged("doctor", "--config", a_configuration(tmp_path, feeds=[{"id": "hall", "source": source}]))

    assert done.returncode == 1
    wrong = done.stdout.index("wrong     feed hall")
    assert "none.mp4" in done.stdout[wrong:]
    assert "->" in done.stdout[wrong:]


def test_a_wrong_configuration_is_one_finding_and_the_machine_is_looked_at_all_the_same(tmp_path):
    config = tmp_path / "config.yaml"
    config.write_text("feeds: []\n")

    code, found = findings(config)

    assert code == 1
    assert found["configuration"]["health"] == "wrong"
    assert found["model face-landmarks"]["health"] == "ok"


def test_a_model_that_is_not_itself_any_more_is_named(tmp_path):
    models = tmp_path / "models"
    models.mkdir()
    code, found = findings(a_configuration(tmp_path, models={"directory": str(models)}))

    assert code == 1
    assert any(finding["health"] == "wrong" and str(models) in finding["seen"] for finding in found.values())


def test_a_camera_that_nobody_answers_for_is_named(tmp_path):
    source = {"type": "rtsp", "url": f"rtsp://127.0.0.1:{free_port()}/live"}
    code, found = findings(a_configuration(tmp_path, feeds=[{"id": "door", "source": source}]))

    assert code == 1
    assert found["feed door"]["health"] == "wrong"
    assert found["feed door"]["remedy"]


def test_a_broker_is_asked_without_disturbing_anybody(tmp_path):
    with Mosquitto() as broker, Subscriber(broker) as subscriber:
        sink = {"type": "mqtt", "host": "127.0.0.1", "port": broker.port}
        code, found = findings(a_configuration(tmp_path, sinks=[sink]))

        assert code == 0
        assert "MQTT 5" in found["sink mqtt"]["seen"]
        assert subscriber.heard == [], "nothing was told to anybody"


def test_a_broker_that_refuses_the_password_says_so(tmp_path):
    with Mosquitto(users={"edged": "right"}) as broker:
        sink = {"type": "mqtt", "host": "127.0.0.1", "port": broker.port, "username": "stranger"}
        code, found = findings(a_configuration(tmp_path, sinks=[sink]))

        assert code == 1
        assert "refuses" in found["sink mqtt"]["seen"]


@pytest.mark.parametrize("kind", ["mqtt", "webhook"])
def test_a_sink_that_is_not_there_says_so(tmp_path, kind):
    port = free_port()
    sink = {"mqtt": {"host": "127.0.0.1", "port": port}, "webhook": {"url": f"http://127.0.0.1:{port}/"}}[
        kind
    ]
    code, found = findings(a_configuration(tmp_path, sinks=[{"type": kind, **sink}]))

    assert code == 1
    assert "refused" in found[f"sink {kind}"]["seen"]
    assert found[f"sink {kind}"]["remedy"]


def test_a_damaged_outbox_is_told_and_left_as_it_is(tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    damaged = b"no database" * 4000
    (data / "outbox.db").write_bytes(damaged)

    code, found = findings(a_configuration(tmp_path))

    assert code == 1
    assert found["outbox"]["health"] == "wrong"
    assert (data / "outbox.db").read_bytes() == damaged, "only the daemon may put it aside"
