"""Resident memory of a daemon with one 720p feed: without sync, as the authority, and as a member.

usage: scripts/benchmarks/sync_memory.py [SECONDS]      60 each without

All have the same people, of whom one is changed every two seconds: for the member at a bare authority.
"""

import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from memory import resident_mib
from running import hd_clip

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import sync_trial  # noqa: F401 - lets the tests' bench be imported
from bench.mosquitto import Mosquitto
from sync_trial.changes import enrol
from sync_trial.nodes import TrialNode, wait_until
from sync_trial.proof import holding

PEOPLE = 1_000
CHANGE_EVERY_S = 2


def changed(store_of: TrialNode, number: int) -> None:
    """Give somebody another name."""
    with store_of.store() as store:
        people = store.identities()
        store.rename(people[number % len(people)].id, f"Renamed {number}")


def measure(what: str, daemon: TrialNode, where: TrialNode, seconds: int) -> float:
    """Run a daemon for a while with changes; gives the median of the last half, in MiB."""
    daemon.start()
    daemon.wait_until_ready()
    process = daemon.process
    if process is None:
        raise ProcessLookupError(what)
    if what != "without":
        wait_until(lambda: holding(daemon).is_settled, 60, 0.5)
    at_first, samples = resident_mib(process.pid), []
    for second in range(seconds):
        time.sleep(1)
        if second % CHANGE_EVERY_S == 0:
            changed(where, second)
        samples.append(resident_mib(process.pid))
    daemon.stop()
    median = statistics.median(samples[seconds // 2 :])
    print(f"memory, {what}: {at_first:.0f} MiB when in step, {median:.1f} MiB after {seconds} s", flush=True)
    return median


def main(seconds: int) -> None:
    """Print the memory of each, and what sync adds."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        broker = stack.enter_context(Mosquitto())
        source = {"type": "file", "path": str(hd_clip(folder)), "pace": "realtime", "loop": True}
        feeds = [{"id": "hall", "source": source}]

        def a_node(name: str, **other: object) -> TrialNode:
            return stack.enter_context(TrialNode(folder / name, broker, **other))  # type: ignore[arg-type]

        plain = a_node("plain", command="run", feeds=feeds)
        enrol(plain, PEOPLE)
        without = measure("without", plain, plain, seconds)
        head = a_node("head", command="run", feeds=feeds, sync={})
        head.found()
        enrol(head, PEOPLE)
        authority = measure("authority", head, head, seconds)
        office = a_node("office", sync={})
        office.found()
        enrol(office, PEOPLE)
        door = a_node("door", command="run", feeds=feeds, sync={})
        door.join(office.invite(1))
        office.start()
        member = measure("member", door, office, seconds)
    print(f"sync adds {authority - without:.1f} MiB to an authority, {member - without:.1f} MiB to a member")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 60)
