"""An authority that is killed while it publishes: what the broker has is whole, no epoch is made twice."""

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from builders.authorities import TOPICS, Broker, found_at, parts_of_node
from builders.namespaces import a_new_face
from edged.replication.statement import StatementKind, taken_apart
from edged.replication.statements import Manifest, name_of
from edged.store.fsck import fsck
from edged.store.namespace_files import namespace_path

_KILLS = int(os.environ.get("EDGED_TEST_KILLS", "12"))
"""`EDGED_TEST_KILLS=50 pytest tests/sync/test_authority_crash.py` for a long look."""

_PUBLISHING = """
import os, sys
from pathlib import Path
from builders.authorities import Broker, parts_of_node
from builders.namespaces import a_new_face
from edged.sync.authority import Authority

folder, run = Path(sys.argv[1]), sys.argv[2]

class Kept(Broker):
    def publish(self, topic, payload, *, is_retained=True):
        path = folder / "broker" / topic.replace("/", "!")
        if payload:
            partial = folder / "partial"
            partial.write_bytes(payload)
            if topic.endswith("/manifest"):
                whole = folder / "whole"
                whole.write_bytes(payload)
                os.replace(whole, folder / "made" / f"{run}-{len(self.log)}")
            os.replace(partial, path)
        else:
            path.unlink(missing_ok=True)
        super().publish(topic, payload, is_retained=is_retained)
        print(topic, flush=True)

broker = Kept()
broker.clock.ms = int(run) * 1_000_000
for path in (folder / "broker").iterdir():
    broker.retained[path.name.replace("!", "/")] = path.read_bytes()
parts = parts_of_node(folder, run=f"kill {run}", clock=broker.clock, gather=0, grace=1, alive_every=1)
broker.connect(Authority(parts))
with parts.open_store() as store:
    print("begun", flush=True)
    for number in range(100_000):
        people = store.identities()
        if number % 5 == 4:
            store.remove([people[number % len(people)].id])
        elif number % 5 == 3:
            store.add_identity(f"{run}-{number}", [a_new_face(number)])
        else:
            store.rename(people[number % len(people)].id, f"{run}-{number}")
        if number % 23 == 22:
            store.connection.execute("UPDATE sync_membership SET rotation_wanted = 1")
        broker.run(1)
"""


def a_run_that_is_killed(folder: Path, run: int, lines: int, wait_s: float) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", _PUBLISHING, str(folder), str(run)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout
        for _ in range(lines):
            assert process.stdout.readline()
        try:
            process.wait(wait_s)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)


@pytest.mark.timeout(600)
def test_what_the_broker_has_is_whole_whenever_the_authority_is_killed(tmp_path):
    chance = random.Random(5)
    (tmp_path / "broker").mkdir()
    (tmp_path / "made").mkdir()
    parts = parts_of_node(tmp_path)
    found_at(parts)
    with parts.open_store() as store:
        for number in range(300):
            store.add_identity(f"Person {number}", [a_new_face(number)])

    for run in range(1, _KILLS + 1):
        a_run_that_is_killed(tmp_path, run, chance.randrange(2, 60), chance.random() * 0.02)
        broker = Broker()
        for path in (tmp_path / "broker").iterdir():
            broker.retained[path.name.replace("!", "/")] = path.read_bytes()
        if TOPICS.manifest in broker.retained and is_readable(broker):
            assert len(broker.names("head")) == broker.manifest.identities

    made: dict[int, set[str]] = {}
    for path in (tmp_path / "made").iterdir():
        payload = path.read_bytes()
        manifest = taken_apart(StatementKind.MANIFEST, payload).body(Manifest)
        made.setdefault(manifest.epoch, set()).add(name_of(payload))
    assert len(made) > _KILLS
    assert all(len(names) == 1 for names in made.values())
    # Killed between a removal and its sweep, it leaves a snapshot: the next start sweeps.
    with parts.open_store() as store:
        assert list(store.sweep()) == []
    assert fsck(namespace_path(tmp_path, "home")) == []


def is_readable(broker: Broker) -> bool:
    """Whether members have the manifest's key: a rotation gives them the next one before it publishes."""
    return broker.key_for("head").generation == broker.manifest.key_generation
