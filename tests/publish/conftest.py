"""Builders for what goes through the sinks, and an outbox that is really there."""

import dataclasses
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from edged.delivery.parcel import Parcel
from edged.delivery.route import Route
from edged.domain.message import Message, MessageKind
from edged.domain.moment import Moment
from edged.store.outbox import Outbox
from edged.system.clock import SystemClock

JOB_BODY = {"status": "IN_PROGRESS", "images": [], "edge": {"schema": 1, "delayedMs": 0}}


@pytest.fixture
def a_message() -> Callable[..., Message]:
    numbers = itertools.count(1)

    def make(subject: str = "", *, kind: MessageKind = MessageKind.JOB, **changes: object) -> Message:
        subject = subject or f"job-{next(numbers)}"
        sequence = changes.get("sequence", 1)
        body = {"id": subject, **JOB_BODY, "sequence": sequence}
        message = Message(
            kind=kind,
            namespace="home",
            feed_id="door",
            subject_id=subject,
            sequence=1,
            is_final=True,
            body=msgspec.json.encode(body),
            at_ms=SystemClock().moment().utc_ms,
        )
        return dataclasses.replace(message, **changes)

    return make


@pytest.fixture
def a_parcel(a_message: Callable[..., Message]) -> Callable[..., Parcel]:
    ids = itertools.count(1)

    def make(subject: str = "", **changes: object) -> Parcel:
        now: Moment = SystemClock().moment()
        return Parcel(
            id=next(ids),
            message=a_message(subject, **changes),
            enqueued_ms=now.utc_ms,
            enqueued_steady_ms=now.steady_ms,
        )

    return make


@pytest.fixture
def an_outbox(tmp_path: Path) -> Iterator[Callable[..., Outbox]]:
    opened: list[Outbox] = []

    def make(*sinks: str, folder: Path = tmp_path) -> Outbox:
        outbox = Outbox(folder, [Route(sink, frozenset(MessageKind)) for sink in sinks])
        outbox.begin(SystemClock().moment(), "boot")
        opened.append(outbox)
        return outbox

    yield make
    for outbox in opened:
        outbox.close()
