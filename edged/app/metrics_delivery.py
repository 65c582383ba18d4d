"""Figures of what is told to others: queues, the outbox, sinks and requests."""

from collections.abc import Iterator
from typing import Any, Final

from prometheus_client.core import Metric

from edged.app.measured import Measured
from edged.app.metric_family import counter, gauge
from edged.delivery.outcome import Fate
from edged.domain.errors import StoreError
from edged.domain.moment import Moment
from edged.pipeline.keeper import Keeper
from edged.publish.hook_pool import POOL_NAME
from edged.store.outbox_letters import OutboxStatus

_SINK: Final = ("sink",)
_QUEUE: Final = ("queue",)


def queues(measured: Measured, now: Moment) -> Iterator[Metric]:
    """What waits in memory."""
    depths: dict[str, float] = {"committer": measured.committer.depth}
    ages_s = {"committer": measured.committer.oldest_ms(now) / 1000}
    held: dict[str, float] = {}
    lost: dict[str, float] = {"committer": measured.committer.given_up}
    now_ns = measured.around.times.now_ns()
    for keeper in _keepers(measured):
        backlog = keeper.backlog
        depths[keeper.name], held[keeper.name] = backlog.news, backlog.bytes
        ages_s[keeper.name] = 0 if backlog.oldest_ns is None else max(now_ns - backlog.oldest_ns, 0) / 1e9
        lost[keeper.name] = keeper.given_up
    if measured.serving is not None:
        counts = measured.serving.clerk.counts()
        depths["request-pictures"], held["request-pictures"] = counts.waiting, counts.waiting_bytes
        ages_s["request-pictures"] = counts.oldest_ms / 1000
        if measured.serving.historian is not None:
            lost["pictures"] = measured.serving.historian.pictures_given_up
        if measured.serving.mqtt_requests is not None:
            depths["mqtt-requests"] = measured.serving.mqtt_requests.waiting
    yield gauge("queue_entries", "Entries that wait in memory", _QUEUE, _rows(depths))
    yield gauge(
        "queue_oldest_age_seconds", "Age of the oldest of them; 0 while none waits", _QUEUE, _rows(ages_s)
    )
    yield gauge("queue_bytes", "Memory that they take, where it is bounded", _QUEUE, _rows(held))
    yield counter(
        "queue_given_up", "Entries that were lost because they could not be written", _QUEUE, _rows(lost)
    )
    yield counter(
        "messages_committed",
        "Messages written to the outbox, by kind; final: the last of a job, and all others",
        ("kind", "final"),
        (
            ((kind.value, "yes" if is_final else "no"), count)
            for (kind, is_final), count in measured.committer.told.items()
        ),
    )


def delivery(measured: Measured, now: Moment) -> Iterator[Metric]:
    """The outbox and the sinks."""
    try:
        status: OutboxStatus | None = measured.around.outbox.status(now)
    except StoreError:
        status = None
    yield gauge("outbox_readable", "1 while the outbox can be read", (), [((), float(status is not None))])
    if status is not None:
        yield from _outbox(status)
    workers = measured.publishing.status
    yield counter(
        "sink_tries",
        "Tries to deliver a message, by what they came to",
        ("sink", "fate"),
        (((one.sink, fate.value), one.outcomes.get(fate, 0)) for one in workers for fate in Fate),
    )
    yield gauge(
        "sink_failing",
        "1 while the last try to deliver failed",
        _SINK,
        (((one.sink,), float(bool(one.trouble))) for one in workers),
    )
    yield gauge(
        "sink_connected",
        "1 while an MQTT sink is connected to its broker",
        _SINK,
        (
            ((one.sink,), float(one.condition.startswith("connected to ")))
            for one in workers
            if one.condition.startswith(("connected to ", "not connected to "))
        ),
    )


def _outbox(status: OutboxStatus) -> Iterator[Metric]:
    hooks_waiting = sum(hook.waiting for hook in status.hooks)
    hooks_oldest = max((hook.oldest_age_ms or 0 for hook in status.hooks), default=0)
    yield gauge("outbox_messages", "Messages in the outbox", (), [((), status.messages)])
    yield gauge("outbox_bytes", "Bytes of their bodies", (), [((), status.bytes)])
    yield gauge("outbox_open_jobs", "Jobs that are told of and not ended", (), [((), status.open_jobs)])
    yield gauge(
        "outbox_waiting",
        "Messages that the sink has not got yet",
        _SINK,
        [*(((one.sink,), one.waiting) for one in status.sinks), ((POOL_NAME,), hooks_waiting)],
    )
    yield gauge(
        "outbox_oldest_age_seconds",
        "How long the oldest of them has waited; 0 while none waits",
        _SINK,
        [
            *(((one.sink,), (one.oldest_age_ms or 0) / 1000) for one in status.sinks),
            ((POOL_NAME,), hooks_oldest / 1000),
        ],
    )
    yield gauge(
        "outbox_dead_letters",
        "Messages that the sink would not take",
        _SINK,
        (((one.sink,), one.dead) for one in status.sinks),
    )
    yield counter(
        "outbox_messages_ended",
        "What became of messages since the outbox was made: sent, or lost for a reason",
        ("sink", "end"),
        (
            ((sink, end), count)
            for sink, counters in (
                *((one.sink, one.counters) for one in status.sinks),
                (POOL_NAME, status.hook_counters),
            )
            for end, count in counters.items()
        ),
    )


def requests(measured: Measured) -> Iterator[Metric]:
    """Requests to recognise pictures, and the HTTP server."""
    doors, serving = measured.machinery.doors, measured.serving
    if doors is not None:
        yield counter(
            "http_requests",
            "Requests over HTTP, by operation and status; status 0: nobody waited for the answer",
            ("operation", "status"),
            (((what or "none", str(status)), count) for (what, status), count in doors.answered.items()),
        )
    if serving is None:
        return
    counts = serving.clerk.counts()
    yield counter(
        "requests",
        "Requests to look at pictures",
        ("result",),
        [(("accepted",), counts.accepted), (("refused",), counts.refused)],
    )
    yield counter(
        "request_pictures",
        "Pictures of requests that are done with, by status",
        ("status",),
        _rows(dict(counts.images)),
    )
    yield counter(
        "request_busy_seconds",
        "Time of the recogniser's thread that requests took",
        (),
        [((), measured.workload.requests_s)],
    )
    if serving.mqtt_requests is not None:
        yield counter(
            "mqtt_requests",
            "Requests that came over MQTT, by what became of them",
            ("result",),
            _rows(dict(serving.mqtt_requests.counts)),
        )


def _keepers(measured: Measured) -> Iterator[Keeper[Any]]:
    if measured.around.groups is not None:
        yield measured.around.groups.keeper
    if measured.serving is not None and measured.serving.historian is not None:
        yield measured.serving.historian


def _rows(figures: dict[str, float] | dict[str, int]) -> list[tuple[tuple[str], float]]:
    return [((name,), figure) for name, figure in figures.items()]
