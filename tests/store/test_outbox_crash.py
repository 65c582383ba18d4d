"""SIGKILL at random moments: what a commit returned for is never lost, and nothing is half there."""

import random
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from bench.mosquitto import eventually
from edged.delivery.route import Route
from edged.delivery.settlement import Settlement
from edged.domain.message import MessageKind
from edged.domain.moment import Moment
from edged.store.outbox import Outbox

CLOCK = Moment(1, 1_790_000_000_000)

CHILD = """
import sys, itertools
from pathlib import Path
from edged.delivery.route import Route
from edged.delivery.settlement import Settlement
from edged.domain.message import Message, MessageKind
from edged.domain.moment import Moment
from edged.store.outbox import Outbox

folder, first = Path(sys.argv[1]), int(sys.argv[2])
now = Moment(1, 1_790_000_000_000)
outbox = Outbox(folder, [Route("s", frozenset(MessageKind))])
outbox.begin(now, "boot")
outbox.close_orphans(now)
print("ready", flush=True)

def job(number, sequence, final):
    body = b'{"images":[],"edge":{"updatedAt":1}}'
    return Message(kind=MessageKind.JOB, namespace="home", feed_id="f", subject_id=f"j{number}",
                   sequence=sequence, is_final=final, body=body, at_ms=1)

for number in itertools.count(first):
    outbox.commit([job(number, 1, False)], now)
    print("open", number, flush=True)
    outbox.commit([job(number, 2, True), job(number + 500_000, 1, True)], now)
    print("final", number, flush=True)
    if number % 3 == 0:
        parcels = outbox.claim("s", 2, now, 60)
        for parcel in parcels:
            print("sent", parcel.message.subject_id, parcel.message.sequence, flush=True)
        outbox.settle("s", Settlement(delivered=tuple(p.id for p in parcels)), now)
"""


@pytest.mark.parametrize("seed", range(8))
def test_a_killed_process_loses_nothing_it_committed_and_leaves_no_job_open(tmp_path, seed):
    chance = random.Random(seed)
    opened: set[int] = set()
    final: set[int] = set()
    sent: set[tuple[str, int]] = set()
    for life in range(3):
        said = _live_and_die(tmp_path, first=life * 10_000, after_s=chance.uniform(0.0, 0.25))
        opened |= {int(words[1]) for words in said if words[0] == "open"}
        final |= {int(words[1]) for words in said if words[0] == "final"}
        sent |= {(words[1], int(words[2])) for words in said if words[0] == "sent"}
    with closing(Outbox(tmp_path, [Route("s", frozenset(MessageKind))])) as outbox:
        outbox.begin(CLOCK, "boot")
        outbox.close_orphans(CLOCK)
        kept = {(p.message.subject_id, p.message.sequence) for p in outbox.claim("s", 100_000, CLOCK, 60)}
        status = outbox.status(CLOCK)
    told = kept | sent
    assert {(f"j{n}", 2) for n in opened} <= told, "every job that was opened has its final message"
    assert {(f"j{n + 500_000}", 1) for n in final} <= told, "what one transaction held came together"
    assert status.open_jobs == 0


def _live_and_die(folder: Path, *, first: int, after_s: float) -> list[list[str]]:
    """What the child said, in whole lines, until it was killed some time after it was ready."""
    path = folder / f"said-{first}"
    with path.open("wb") as said:
        process = subprocess.Popen([sys.executable, "-c", CHILD, str(folder), str(first)], stdout=said)
    eventually(lambda: path.read_bytes().startswith(b"ready\n"), "the child to begin")
    # Not to wait for anything: the moment of death is what is random here.
    time.sleep(after_s)
    process.kill()
    process.wait(20)
    whole = path.read_text("utf-8").rpartition("\n")[0]
    return [line.split() for line in whole.splitlines()]


def test_what_was_settled_stays_settled_after_a_kill(tmp_path):
    said = _live_and_die(tmp_path, first=0, after_s=0.1)
    assert said[0] == ["ready"]
    with closing(Outbox(tmp_path, [Route("s", frozenset(MessageKind))])) as outbox:
        outbox.begin(CLOCK, "boot")
        parcels = outbox.claim("s", 100_000, CLOCK, 60)
        outbox.settle("s", Settlement(delivered=tuple(p.id for p in parcels)), CLOCK)
    with closing(Outbox(tmp_path, [Route("s", frozenset(MessageKind))])) as outbox:
        outbox.begin(CLOCK, "boot")
        assert outbox.claim("s", 100_000, CLOCK, 60) == []
        assert outbox.status(CLOCK).messages == 0
