"""Real processes, a real broker, two embedders: a camera recognises whom another embedder enrolled."""

import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

from bench.daemon import PROJECT, Daemon, edged, eventually, json_lines, names
from bench.mosquitto import IS_INSTALLED, WHY_NOT, Mosquitto
from edged.inference.catalogue import Catalogue
from edged.inference.runtime import find_runtime
from edged.store.fsck import fsck
from edged.store.namespace_files import namespace_path

pytestmark = pytest.mark.skipif(not IS_INSTALLED, reason=WHY_NOT)

SAMPLE = PROJECT / "edged" / "cli" / "sample"
USUAL = Catalogue().embedder_for("auto", find_runtime().name)
OTHER = next(card for card in Catalogue().cards() if card.role == "embedder" and card != USUAL)


class Authority(Daemon):
    """`edged authority` on a configuration of its own."""

    def start(self, *options, **_environment):
        with self.log.open("ab") as log:
            command = [sys.executable, "-m", "edged", "authority", "--config", str(self.config), *options]
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        return self


def a_node(kind, folder, broker, **more):
    folder.mkdir()
    sink = {"type": "mqtt", "host": broker.host, "port": broker.port}
    jobs = {"type": "file", "path": str(folder / "jobs"), "send": ["job"]}
    return kind(folder, {"device": folder.name, "feeds": [], "sinks": [sink, jobs], **more})


def said(daemon, *words):
    done = edged(*words, "--config", daemon.config)
    assert done.returncode == 0, f"{words}: {done.stdout}\n{done.stderr}\n{daemon.log_text()}"
    return done.stdout


def asked(daemon, query, *values):
    """What a node's database says; 0 before there is one."""
    path = namespace_path(daemon.data_dir, "home")
    if not path.exists():
        return 0
    with closing(sqlite3.connect(path)) as connection:
        try:
            return connection.execute(query, values).fetchone()[0]
        except sqlite3.OperationalError:
            return 0


def vectors(daemon, card):
    """How many faces an embedder has embedded there."""
    return asked(daemon, "SELECT count(*) FROM embedding WHERE model_hash = ?", card.sha256)


def test_a_camera_embeds_whom_another_embedder_enrolled_and_the_authority_whom_the_camera_did(tmp_path):
    clip = {"type": "file", "path": str(SAMPLE / "scene.mp4"), "pace": "realtime", "loop": True}
    feed = {"id": "hall", "fps": 5, "source": clip}
    with (
        Mosquitto(persistence=False) as broker,
        a_node(Authority, tmp_path / "office", broker, sync={"chips": True}) as office,
        a_node(Daemon, tmp_path / "barn", broker, feeds=[feed], models={"embedder": OTHER.name}) as barn,
    ):
        barn.start()
        said(office, "sync", "init")
        said(office, "identities", "add", "Eileen", SAMPLE / "eileen-collins.jpg")
        office.start()
        invitation = said(office, "sync", "invite")
        code = next(word for word in invitation.split() if word.startswith("edged1-"))
        barn.wait_until_ready()
        said(barn, "sync", "join", code)

        eventually(lambda: vectors(barn, OTHER) == 1, 20, barn.log_text)
        assert vectors(barn, USUAL) == 1, "what the epoch consists of is kept"
        told = barn.folder / "jobs"
        eventually(lambda: any("Eileen" in names(job) for job in json_lines(told)), 30, barn.log_text)
        reported = "SELECT count(*) FROM sync_member WHERE state = 'in step' AND epoch > 0"
        eventually(lambda: asked(office, reported) == 1, 20, office.log_text)

        said(barn, "identities", "add", "Twin", SAMPLE / "eileen-collins.jpg")
        eventually(lambda: vectors(office, USUAL) == vectors(barn, USUAL) == 2, 20, office.log_text)
        assert barn.stop() == 0, barn.log_text()
        assert office.stop() == 0, office.log_text()
    assert fsck(namespace_path(barn.data_dir, "home")) == []
    assert fsck(namespace_path(office.data_dir, "home")) == []
