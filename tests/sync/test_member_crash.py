"""A member that is killed while it applies: its database is always exactly one epoch's content."""

import os
import random
import signal
import subprocess
import sys
import threading

from builders.namespaces import MODEL, a_store
from builders.sync import AnAuthority, a_person, be_member, node_parts
from edged.store.fsck import fsck
from edged.store.namespace_files import namespace_path
from edged.store.sync_records import shared_person

KILLS = int(os.environ.get("EDGED_TEST_KILLS", "12"))
"""How often the member is killed; 50 are asked for now and then."""
_APPLYING = """
import sys
from pathlib import Path
from builders.namespaces import HandClock
from builders.sync import ABroker, AnAuthority, a_person, node_parts
from edged.sync.member import Member
first = int(sys.argv[2])
authority, clock, broker = AnAuthority(), HandClock(), ABroker()
node = Member(node_parts(Path(sys.argv[1]), swept=lambda store: []))
broker.connect(node, clock.moment())
print("ready", flush=True)
for number in range(first, first + 1000):
    people = [a_person(n, looks=number) for n in range(40) if (n + number) % 5]
    broker.keep(authority.epoch(number, people), authority.topics)
    broker.say(node, authority.topics.manifest, clock.moment())
    broker.run(node, clock, turns=6)
"""


def test_a_member_killed_at_any_moment_holds_exactly_one_epoch(tmp_path):
    chance, authority, parts = random.Random(6), AnAuthority(), node_parts(tmp_path)
    with a_store(tmp_path) as store:
        be_member(store, authority, parts)
    epochs, first = [], 1
    for _ in range(KILLS):
        with subprocess.Popen(
            [sys.executable, "-c", _APPLYING, str(tmp_path), str(first)],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        ) as process:
            assert process.stdout
            assert process.stdout.readline() == "ready\n"
            killer = threading.Timer(chance.uniform(0.0, 0.4), process.send_signal, [signal.SIGKILL])
            killer.start()
            process.wait(60)
            killer.join()
        with a_store(tmp_path) as store:
            row = store.connection.execute("SELECT epoch FROM sync_epoch").fetchone()
            number = row[0] if row else 0
            ids = [each[0] for each in store.connection.execute("SELECT id FROM identity ORDER BY id")]
            here = [shared_person(store.connection, each, MODEL, with_chips=False) for each in ids]
        expected = [a_person(n, looks=number) for n in range(40) if (n + number) % 5] if number else []
        assert here == sorted(expected, key=lambda person: person.id)
        epochs.append(number)
        first = number + 1
    assert epochs == sorted(epochs)
    assert epochs[-1] > 1
    assert fsck(namespace_path(tmp_path, "home")) == []
