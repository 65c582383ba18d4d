"""A node that is killed while groups are shared: nothing is counted twice, comes back, or is lost."""

import os
import subprocess
import sys

import pytest

KILLS = int(os.environ.get("EDGED_TEST_KILLS", "3"))
"""`EDGED_TEST_KILLS=400 pytest tests/sync/test_groups_crash.py` for a long look."""

_STORY = """
import random, sys
from pathlib import Path
from builders.authorities import Broker
from builders.mortals import MortalHouse
from builders.sharing import House

folder, kills, chance = Path(sys.argv[1]), int(sys.argv[2]), random.Random(int(sys.argv[3]))
# Done where a node hears what another one made of a group: few of all statements, and the ones that count.
HEARING = ("sync_group_fates._", "group_joining", "history_people", "group_rows.remove", "sync_groups.settle")
SETTINGS = {"gather": 0, "report_every": 10, "alive_every": 10, "groups": True}
broker = Broker()
nodes = {}
for name in ("front", "back"):
    (folder / name).mkdir()
    nodes[name] = MortalHouse(folder / name, broker.clock, name, **SETTINGS)
# For commands, which are no part of the daemon.
desk = {name: House(folder / name, broker, name, **SETTINGS) for name in nodes}
desk["front"].found()
desk["back"].join(desk["front"].invite())
deaths, armed, people, forgotten = 0, None, set(), set()


def born(statements=None, within=("",)):
    for node in nodes.values():
        if node.is_dead:
            node.be_born(statements=statements if node is armed else None, within=within)
            broker.connect(node)


def run(seconds):
    global deaths
    for _ in range(seconds // 2):
        broker.turn()
        broker.clock.ms += 2000
        for node in nodes.values():
            if node.is_dead:
                deaths += 1
                broker.disconnect(node)
                born()
    for name in nodes:
        known = set(desk[name].eyes.ids()) | {each for _, each in desk[name].eyes.elsewhere()}
        assert not known & forgotten, (name, known & forgotten)


def later():
    run(14)
    broker.clock.ms += 120_000
    run(4)


def tracks(group):
    found = set()
    for each in desk.values():
        with each.eyes.store() as store:
            found |= {row[0] for row in store.connection.execute(
                "SELECT group_track.id FROM group_track JOIN unknown_group ON unknown_group.number ="
                " unknown_group WHERE unknown_group.id = ?", (group,))}
    return found


def counted(where):
    return {group.id: group.visits for group in desk[where].eyes.groups()}


number = 0


def seen(where, person):
    '''The group that somebody is in who passes; again, where the camera died of it.'''
    global number
    for _ in range(3):
        number += 1
        said = nodes[where].see(number, person)
        later()
        if said is not None:
            return said.group_id
    raise AssertionError("nobody sees anything")


def whole(group):
    for where in nodes:
        if group in counted(where):
            assert counted(where)[group] == len(tracks(group)), (where, counted(where)[group], tracks(group))


born()
run(20)
for name, node in nodes.items():
    assert node.standing().state == "in step", node.standing()
for kill in range(kills):
    here, there = chance.sample(list(nodes), 2)
    armed = nodes[here] if kill % 2 else nodes[chance.choice([here, there])]
    broker.disconnect(armed)
    armed.end()
    if kill % 2:
        born(statements=chance.randrange(0, 8), within=HEARING)
    else:
        born(statements=chance.randrange(10, 260))
    person = 1000 + 2 * kill
    group = seen(here, person)
    whole(group)
    assert seen(there, person) == group
    whole(group)
    assert seen(here, person) == group
    whole(group)
    act = kill % 3
    if act == 0:
        desk[there].eyes.name(group, f"Person {kill}")
        people.add(f"Person {kill}")
        forgotten.add(group)
    elif act == 1:
        desk[there].eyes.forget(group)
        forgotten.add(group)
    else:
        other = seen(there, person + 1)
        assert seen(here, person + 1) == other
        for _ in range(2):
            if other in desk[here].eyes.ids() and group in desk[here].eyes.ids():
                break
            seen(here, person)
        desk[here].eyes.merge(group, other)
    gone = forgotten if act < 2 else {other}
    run(30)
    broker.clock.ms += 120_000
    run(30)
    for name, node in nodes.items():
        assert node.standing().state == "in step", (name, node.standing())
        assert set(desk[name].people()) == people, (name, desk[name].people(), people)
        assert not set(counted(name)) & gone, (name, kill, act)
        assert desk[name].findings() == [], desk[name].findings()
    if act == 2:
        whole(group)
        desk[here].eyes.forget(group)
        run(20)
        forgotten |= {group, other}
for node in nodes.values():
    node.end()
for each in desk.values():
    each.close()
print(f"{deaths} deaths in {kills} rounds")
"""


@pytest.mark.timeout(900)
def test_groups_are_counted_once_and_what_became_of_them_stays_whenever_a_node_is_killed(tmp_path):
    ran = subprocess.run(
        [sys.executable, "-c", _STORY, str(tmp_path), str(KILLS), "6"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert ran.returncode == 0, ran.stderr[-3000:]
    deaths = int(ran.stdout.split()[0])
    assert deaths >= KILLS // 2, ran.stdout
