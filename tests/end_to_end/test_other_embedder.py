"""Another embedder in the life of a real daemon: the enrolled stay known, and no two models are mixed."""

import json
import sqlite3

from bench.daemon import PROJECT, Daemon, edged, final, json_lines, names
from edged.inference.catalogue import Catalogue
from edged.inference.runtime import find_runtime

SAMPLE = PROJECT / "edged" / "cli" / "sample"
USUAL = Catalogue().embedder_for("auto", find_runtime().name)
OTHER = next(card for card in Catalogue().cards() if card.role == "embedder" and card != USUAL)


def a_daemon(folder, **models):
    return Daemon(
        folder,
        {
            "feeds": [
                {"id": "hall", "fps": 5, "source": {"type": "file", "path": str(SAMPLE / "scene.mp4")}}
            ],
            "sinks": [{"type": "file", "path": str(folder / "jobs"), "send": ["job"]}],
            **({"models": models} if models else {}),
        },
    )


def names_told(daemon):
    (daemon.folder / "jobs").unlink(missing_ok=True)
    assert daemon.run_to_the_end() == 0, daemon.log_text()
    return set().union(*(names(job) for job in final(json_lines(daemon.folder / "jobs"))))


def rows(daemon, statement):
    with sqlite3.connect(daemon.data_dir / "namespaces" / "home.db") as connection:
        found = connection.execute(statement).fetchall()
    connection.close()
    return found


def test_who_was_enrolled_is_known_to_the_new_model(tmp_path):
    with a_daemon(tmp_path) as daemon:
        place = ("--config", daemon.config)
        done = edged("identities", "add", "Eileen", SAMPLE / "eileen-collins.jpg", *place)
        assert done.returncode == 0, done.stderr
        done = edged("models", "use", OTHER.name, *place, "--yes")
        assert done.returncode == 0, done.stderr
        done = edged("doctor", *place, "--json")
        assert any(json.loads(line)["what"] == f"model {OTHER.name}" for line in done.stdout.splitlines())

        # What the other model made is all that there is now: it is really the one that was used.
        assert edged("models", "forget", USUAL.name, *place, "--yes").returncode == 0
        assert rows(daemon, "SELECT DISTINCT model_hash FROM embedding") == [(OTHER.sha256,)]
        assert "Eileen" in names_told(daemon)


def test_a_daemon_embeds_what_its_model_has_not_seen_before_it_is_ready(tmp_path):
    with a_daemon(tmp_path) as daemon:
        place = ("--config", daemon.config)
        done = edged("identities", "add", "Eileen", SAMPLE / "eileen-collins.jpg", *place)
        assert done.returncode == 0, done.stderr
        rows(daemon, f"UPDATE embedding SET model_hash = '{'d' * 64}'")

        assert "Eileen" in names_told(daemon)
        log = daemon.log_text()
        assert log.index("Embedding anew: namespace home: 1 of 1 faces") < log.index("Ready")


def test_an_embedder_that_nobody_measured_keeps_the_daemon_from_starting_in_words(tmp_path):
    own = tmp_path / "own"
    own.mkdir()
    card = json.loads((Catalogue().directory / f"{USUAL.name}.json").read_text())
    del card["head"]["calibration"]
    card |= {"name": "unmeasured", "file": str(Catalogue().directory / card["file"])}
    (own / "unmeasured.json").write_text(json.dumps(card))
    with a_daemon(tmp_path, directory="own", embedder="unmeasured") as daemon:
        assert daemon.run_to_the_end() == 72
        assert "no `calibration`" in (daemon.log_text() + (tmp_path / "daemon.out").read_text())
        assert "edged evaluate" in daemon.log_text()


def test_a_delegate_that_fails_is_said_by_the_daemon_and_by_the_doctor(tmp_path):
    models = {"delegate": "./libnone.so", "delegate_models": ["detector"]}
    with a_daemon(tmp_path, **models) as daemon:
        daemon.start().wait_until_ready()
        assert daemon.stop() == 0
        assert "runs on the CPU: the delegate" in daemon.log_text()
        assert str(tmp_path / "libnone.so") in daemon.log_text()
        done = edged("doctor", "--config", daemon.config, "--json")
        doubtful = [one for one in map(json.loads, done.stdout.splitlines()) if one["health"] == "doubtful"]
        assert any("runs on the CPU" in one["seen"] for one in doubtful)
    with a_daemon(tmp_path, **models, delegate_required=True) as daemon:
        assert daemon.run_to_the_end() == 72
