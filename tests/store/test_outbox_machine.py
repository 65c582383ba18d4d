"""The outbox against a list: whatever is done to both, they agree."""

import shutil
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from edged.delivery.parcel import Parcel, subject_of
from edged.delivery.route import Route
from edged.delivery.settlement import Retry, Settlement
from edged.domain.message import Message, MessageKind
from edged.domain.moment import Moment
from edged.store.outbox import Outbox

JOB, EVENT, PRESENCE = MessageKind
SINKS = ("all", "jobs", "work")
ROUTES = (
    Route("all", frozenset(MessageKind)),
    Route("jobs", frozenset({JOB})),
    Route("work", frozenset(MessageKind), frozenset({"work"})),
)
START = Moment(1_000_000, 1_790_000_000_000)
LEASE_MS = 10_000


@dataclass
class Waiting:
    """One delivery, as the list has it."""

    message: Message
    due_ms: int = 0
    lease_ms: int | None = None
    attempts: int = 0
    dead: bool = False
    id: int | None = None

    def is_held(self, now_ms: int) -> bool:
        return self.due_ms > now_ms or (self.lease_ms or 0) > now_ms


class OutboxMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="outbox-machine-"))
        self.now = START
        self.queues: dict[str, list[Waiting]] = {sink: [] for sink in SINKS}
        self.open_jobs: set[str] = set()
        self.sequences: Counter[str] = Counter()
        self.leased: dict[str, list[Parcel]] = {sink: [] for sink in SINKS}
        self.told: dict[tuple[str, str], int] = {}
        self.outbox = self._opened()

    def teardown(self) -> None:
        self.outbox.close()
        shutil.rmtree(self.folder)

    def _opened(self) -> Outbox:
        outbox = Outbox(self.folder, ROUTES)
        outbox.begin(self.now, "boot")
        return outbox

    @rule(
        wanted=st.lists(
            st.tuples(
                st.sampled_from(MessageKind),
                st.integers(0, 2),
                st.sampled_from(("home", "work")),
                st.booleans(),
            ),
            min_size=1,
            max_size=4,
        ),
        is_replay=st.booleans(),
    )
    def commit(self, wanted: list[tuple[MessageKind, int, str, bool]], is_replay: bool) -> None:  # noqa: FBT001
        messages = []
        for kind, number, namespace, final in wanted:
            subject = f"{namespace}-{kind}-{number}-{is_replay}"
            self.sequences[subject] += 1
            messages.append(
                Message(
                    kind=kind,
                    namespace=namespace,
                    feed_id="door",
                    subject_id=subject,
                    sequence=self.sequences[subject],
                    is_final=kind is EVENT or (kind is JOB and final),
                    body=b"{}",
                    at_ms=self.now.utc_ms,
                    is_replay=is_replay,
                )
            )
        self.outbox.commit(messages, self.now)
        for message in messages:
            self._expect(message)

    def _expect(self, message: Message) -> None:
        if message.kind is JOB:
            self.open_jobs -= {message.subject_id}
            self.open_jobs |= set() if message.is_final else {message.subject_id}
        for route in ROUTES:
            if not route.takes(message):
                continue
            queue = self.queues[route.sink_id]
            old = [
                w
                for w in queue
                if subject_of(w.message) == subject_of(message)
                and not (w.dead or w.message.is_final or w.message.is_replay or message.is_replay)
                and w.lease_ms is None
            ]
            if old:
                old[-1].message = message
                old[-1].attempts = 0
            else:
                queue.append(Waiting(message))

    @rule(sink=st.sampled_from(SINKS), limit=st.integers(1, 5))
    def claim(self, sink: str, limit: int) -> None:
        expected: list[Waiting] = []
        blocked: set[str] = set()
        for waiting in self.queues[sink]:
            subject = subject_of(waiting.message)
            if waiting.dead:
                continue
            if waiting.is_held(self.now.steady_ms):
                blocked.add(subject)
            elif subject not in blocked and len(expected) < limit:
                expected.append(waiting)
        parcels = self.outbox.claim(sink, limit, self.now, LEASE_MS / 1000)
        assert [p.message for p in parcels] == [w.message for w in expected]
        assert [p.attempts for p in parcels] == [w.attempts for w in expected]
        for waiting, parcel in zip(expected, parcels, strict=True):
            waiting.lease_ms, waiting.id = self.now.steady_ms + LEASE_MS, parcel.id
            # A lease that ran out was another's before.
            self.leased[sink] = [p for p in self.leased[sink] if p.id != parcel.id] + [parcel]

    @rule(sink=st.sampled_from(SINKS), fates=st.lists(st.sampled_from("dbrcu"), min_size=5, max_size=5))
    def settle(self, sink: str, fates: list[str]) -> None:
        pairs = list(zip(self.leased[sink], fates, strict=False))
        ids = {fate: [p.id for p, f in pairs if f == fate] for fate in "dbrcu"}
        settlement = Settlement(
            delivered=tuple(ids["d"]),
            buried=tuple((one, "no") for one in ids["b"]),
            retried=tuple(Retry(one, 3000, counts=False, reason="busy") for one in ids["r"])
            + tuple(Retry(one, 0, counts=True, reason="500") for one in ids["c"]),
            released=tuple(ids["u"]),
        )
        self.outbox.settle(sink, settlement, self.now)
        for parcel, fate in pairs:
            self._settled(sink, parcel, fate)
        self.leased[sink] = self.leased[sink][len(pairs) :]

    def _settled(self, sink: str, parcel: Parcel, fate: str) -> None:
        waiting = next(w for w in self.queues[sink] if w.id == parcel.id)
        waiting.lease_ms = None
        if fate == "d":
            self.queues[sink].remove(waiting)
            key = (sink, subject_of(parcel.message))
            assert parcel.message.sequence > self.told.get(key, 0), "told out of order"
            self.told[key] = parcel.message.sequence
        elif fate == "b":
            waiting.dead = True
        elif fate == "r":
            waiting.due_ms = self.now.steady_ms + 3000
        elif fate == "c":
            waiting.due_ms, waiting.attempts = self.now.steady_ms, waiting.attempts + 1

    @rule(ms=st.sampled_from((1, 1000, 3000, LEASE_MS)))
    def time_passes(self, ms: int) -> None:
        self.now = self.now.plus_ms(ms)

    @rule()
    def the_daemon_dies_and_comes_back(self) -> None:
        self.outbox.close()
        self.outbox = self._opened()
        for queue in self.queues.values():
            for waiting in queue:
                waiting.due_ms, waiting.lease_ms = 0, None
        self.leased = {sink: [] for sink in SINKS}

    @precondition(lambda self: not self.open_jobs)
    @rule()
    def nothing_is_left_open(self) -> None:
        assert self.outbox.close_orphans(self.now) == []

    @rule()
    def dead_letters_are_the_same(self) -> None:
        letters = Counter((one.sink, one.subject_id, one.sequence) for one in self.outbox.dead_letters())
        expected = Counter(
            (sink, w.message.subject_id, w.message.sequence)
            for sink, queue in self.queues.items()
            for w in queue
            if w.dead
        )
        assert letters == expected

    @invariant()
    def as_many_wait(self) -> None:
        status = self.outbox.status(self.now)
        for depth in status.sinks:
            assert depth.waiting == sum(not w.dead for w in self.queues[depth.sink])
        distinct = {
            (w.message.subject_id, w.message.sequence) for queue in self.queues.values() for w in queue
        }
        assert status.messages == len(distinct)
        assert status.bytes == 2 * len(distinct)
        assert status.open_jobs == len(self.open_jobs)


OutboxMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestOutboxAgainstAList = OutboxMachine.TestCase
