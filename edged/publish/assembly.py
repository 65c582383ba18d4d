"""All sinks of a configuration, each with its worker."""

from collections.abc import Callable, Sequence
from pathlib import Path

from edged.delivery.route import sink_id
from edged.delivery.settlement import Settler
from edged.domain.feed_state import FeedState
from edged.domain.moment import Clock
from edged.publish.console import ConsoleSink
from edged.publish.file import FileSink
from edged.publish.mqtt import MqttSink
from edged.publish.sink import Sink
from edged.publish.tls import client_context, verifying_context
from edged.publish.webhook import WebhookSink
from edged.publish.worker import Outbox, SinkWorker, WorkerStatus
from edged.settings import sinks as settings


class Publishing:
    """The workers of all sinks, started and stopped together; each goes at its own pace."""

    def __init__(self, workers: Sequence[SinkWorker]) -> None:
        self._workers = tuple(workers)

    def start(self) -> None:
        """Begin to deliver."""
        for worker in self._workers:
            worker.start()

    def wake(self) -> None:
        """Say that something was committed; any thread may call it."""
        for worker in self._workers:
            worker.wake()

    def report_feed(self, state: FeedState) -> None:
        """Tell a feed's health to the sinks that have a place for it; any thread may call it."""
        for worker in self._workers:
            if isinstance(worker.sink, MqttSink):
                worker.sink.report_feed(state)

    @property
    def status(self) -> tuple[WorkerStatus, ...]:
        """How each is doing; any thread may ask."""
        return tuple(worker.status for worker in self._workers)

    @property
    def is_console_closed(self) -> bool:
        """Whether a sink `console` has lost its reader for good."""
        return any(isinstance(w.sink, ConsoleSink) and w.sink.is_finished for w in self._workers)

    def is_idle(self) -> bool:
        """Whether nothing waits for any sink, except for those that will never take anything again."""
        return all(worker.is_idle() for worker in self._workers)

    def interrupt(self) -> None:
        """Say to all that they are to stop, without waiting for them."""
        for worker in self._workers:
            worker.interrupt()

    def stop(self, timeout_s: float) -> tuple[str, ...]:
        """Stop all at once, each within `timeout_s`; returns the sinks whose thread still hangs.

        What was not sent stays in the outbox.
        """
        self.interrupt()
        return tuple(worker.sink.id for worker in self._workers if not worker.stop(timeout_s))


def make_sink(section: settings.AnySink, *, device: str, clock: Clock, jitter: Callable[[], float]) -> Sink:
    """The sink of a section of the configuration, not connected yet.

    Raises ConfigurationError where a secret or a certificate cannot be used.
    """
    name = sink_id(section)
    match section:
        case settings.MqttSink():
            if section.tls is not None:
                client_context(section.tls)
            return MqttSink(name, section, device, clock, jitter)
        case settings.WebhookSink():
            verifying_context(section.ca_file)
            return WebhookSink(name, section, clock)
        case settings.ConsoleSink():
            return ConsoleSink(name, clock)
        case settings.FileSink():
            return FileSink(name, Path(section.path), clock)


def make_publishing(
    sections: Sequence[settings.AnySink],
    outbox: Outbox,
    *,
    attempts: int,
    device: str,
    clock: Clock,
    jitter: Callable[[], float],
) -> Publishing:
    """The sinks of a configuration with their workers, not started yet.

    Args:
        sections: the configured sinks.
        outbox: where their messages come from.
        attempts: `outbox.attempts` of the configuration.
        device: the device's id.
        clock: who knows the time.
        jitter: gives numbers from 0 to below 1, by chance.

    Raises:
        ConfigurationError: a secret or a certificate cannot be used.
    """

    def worker(section: settings.AnySink) -> SinkWorker:
        retry = section.retry
        return SinkWorker(
            make_sink(section, device=device, clock=clock, jitter=jitter),
            outbox,
            Settler(first_s=retry.first, most_s=retry.most, attempts_most=attempts, jitter=jitter),
            clock,
            jitter,
        )

    return Publishing([worker(section) for section in sections])
