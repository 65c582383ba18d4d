import json
import tarfile

from bench.daemon import Daemon, edged, eventually
from bench.mosquitto import Mosquitto, Subscriber, free_port
from builders.doctor import SCENE, a_configuration


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
    assert "decoded by opencv/ffmpeg h264" in found["feed hall"]["seen"]
    assert found["namespace home"]["health"] == "doubtful", "nobody is enrolled yet"
    assert "identities add" in found["namespace home"]["remedy"]
    assert "times its card's" in found["speed"]["seen"]
    assert set(found["edged"]) == {"what", "health", "seen", "remedy", "section"}


def test_for_people_each_wrong_thing_has_its_remedy_below_it_in_its_section(tmp_path):
    source = {"type": "file", "path": str(tmp_path / "none.mp4")}
    config = a_configuration(tmp_path, feeds=[{"id": "hall", "source": source}])
    done = edged("doctor", "--config", config, "--only", "feeds,store")

    assert done.returncode == 1
    assert done.stdout.index("\nstore\n") < done.stdout.index("\nfeeds, each measured for 3 s\n")
    wrong = done.stdout.index("wrong     feed hall")
    assert "none.mp4" in done.stdout[wrong:]
    assert "->" in done.stdout[wrong:]


def test_a_section_that_is_not_there_is_refused(tmp_path):
    done = edged("doctor", "--config", tmp_path / "config.yaml", "--skip", "cellar")
    assert done.returncode == 2
    assert "machine, configuration" in done.stderr


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
    config = a_configuration(tmp_path, models={"directory": str(models)})
    code, found = findings(config, "--only", "models")

    assert code == 1
    assert any(finding["health"] == "wrong" and str(models) in finding["seen"] for finding in found.values())


def test_a_running_daemon_is_told_with_its_own_figures_and_an_archive_is_written(tmp_path):
    source = {"type": "file", "path": str(SCENE), "pace": "realtime", "loop": True}
    with Mosquitto() as broker:
        settings = {
            "feeds": [{"id": "hall", "source": source, "fps": 2}],
            "sinks": [{"type": "mqtt", "host": "127.0.0.1", "port": broker.port}],
            "http": {"listen": f"127.0.0.1:{free_port()}", "metrics": {}},
        }
        with Daemon(tmp_path, settings) as daemon, Subscriber(broker) as subscriber:
            daemon.start().wait_until_ready()
            eventually(lambda: any('"capturing":true' in one for one in subscriber.payloads("hall/state")))
            archive = tmp_path / "report.tar.gz"
            code, found = findings(
                daemon.config, "--only", "service,sinks,store", "--seconds", "1", "--bundle", archive
            )

            assert code == 0, found
            assert f"process {daemon.process.pid} runs" in found["daemon"]["seen"]
            assert "with 200" in found["http"]["seen"]
            assert "the device is online" in found["seen by mqtt"]["seen"]
            assert "feed hall: capturing" in found["seen by mqtt"]["seen"]
            assert found["access mqtt"]["health"] == "ok"
            with tarfile.open(archive) as made:
                names = {one.removeprefix("edged-doctor/") for one in made.getnames()}
            assert {"README.txt", "configuration.yaml", "databases.json", "metrics.txt"} <= names
