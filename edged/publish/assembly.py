"""All sinks of a configuration, each with its worker."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from edged.delivery.route import sink_id
from edged.delivery.settlement import Settler
from edged.domain.device_state import DeviceState
from edged.domain.event import NamespacePresence
from edged.domain.face_image import FaceImage
from edged.domain.feed_state import FeedState
from edged.domain.moment import Clock
from edged.publish.console import ConsoleSink
from edged.publish.file import FileSink
from edged.publish.hook_pool import POOL_NAME, HookPool
from edged.publish.mqtt import MqttSink
from edged.publish.mqtt_assembly import MqttParts, RequestTaker, make_mqtt_sink
from edged.publish.retained_topics import RetainedLedger
from edged.publish.sink import Sink
from edged.publish.state_board import StateBoard
from edged.publish.tls import verifying_context
from edged.publish.worker import Outbox, SinkWorker, WorkerStatus
from edged.settings import sinks as settings
from edged.settings.feeds import Feed


class Publishing:
    """The workers of all sinks, started and stopped together; each goes at its own pace."""

    def __init__(self, workers: Sequence[SinkWorker], clock: Clock, hooks: HookPool | None = None) -> None:
        self._clock = clock
        self._workers = tuple(workers)
        self._hooks = hooks

    def start(self) -> None:
        """Begin to deliver."""
        for worker in self._workers:
            worker.start()
        if self._hooks is not None:
            self._hooks.start()

    def wake(self) -> None:
        """Say that something was committed; any thread may call it."""
        for worker in self._workers:
            worker.wake()
        if self._hooks is not None:
            self._hooks.wake()

    def report_feed(self, state: FeedState) -> None:
        """Tell a feed's health to the sinks that have a place for it; any thread may call it."""
        for board in self._boards():
            board.report_feed(state)

    def report_device(self, state: DeviceState) -> None:
        """Tell the machine's health likewise."""
        for board in self._boards():
            board.report_device(state)

    def report_enabled(self, feed_id: str, *, is_on: bool) -> None:
        """Tell how a feed's switch stands likewise."""
        for board in self._boards():
            board.report_enabled(feed_id, is_on=is_on)

    def report_namespace(self, presence: NamespacePresence) -> None:
        """Tell who is in a namespace likewise."""
        for board in self._boards():
            board.report_namespace(presence)

    def show_face(self, image: FaceImage) -> None:
        """Show the last decided face of a feed, where a sink is to; any thread may call it."""
        for board in self._boards():
            board.show_face(image)

    def hide_face(self, feed_id: str) -> None:
        """Take back the picture that is shown of a feed: whose it is was erased, or the feed is off."""
        for board in self._boards():
            board.hide_face(feed_id)

    def _boards(self) -> Iterator[StateBoard]:
        return (worker.sink.board for worker in self._workers if isinstance(worker.sink, MqttSink))

    @property
    def status(self) -> tuple[WorkerStatus, ...]:
        """How each is doing; any thread may ask."""
        of_hooks = () if self._hooks is None else (self._hooks.status,)
        return tuple(worker.status for worker in self._workers) + of_hooks

    @property
    def is_console_closed(self) -> bool:
        """Whether a sink `console` has lost its reader for good."""
        return any(isinstance(w.sink, ConsoleSink) and w.sink.is_finished for w in self._workers)

    def is_idle(self) -> bool:
        """Whether nothing waits for any sink, except for those that will never take anything again.

        Clients' webhooks that fail are not waited for either: their receivers are nobody's of this house.
        """
        if self._hooks is not None and not self._hooks.is_idle():
            return False
        return all(worker.is_idle() for worker in self._workers)

    def interrupt(self) -> None:
        """Say to all that they are to stop, without waiting for them."""
        for worker in self._workers:
            worker.interrupt()
        if self._hooks is not None:
            self._hooks.interrupt()

    def stop(self, timeout_s: float) -> tuple[str, ...]:
        """Stop all at once, together within `timeout_s`; returns the sinks whose thread still hangs.

        What was not sent stays in the outbox.
        """
        self.interrupt()
        until_ms = self._clock.moment().steady_ms + round(timeout_s * 1000)

        def left_s() -> float:
            return max(0.0, (until_ms - self._clock.moment().steady_ms) / 1000)

        hanging = [worker.sink.id for worker in self._workers if not worker.stop(left_s())]
        if self._hooks is not None and not self._hooks.stop(left_s()):
            hanging.append(POOL_NAME)
        return tuple(hanging)


def make_sink(section: settings.AnySink, parts: MqttParts) -> Sink:
    """The sink of a section of the configuration, not connected yet.

    Raises ConfigurationError where a secret or a certificate cannot be used.
    """
    name = sink_id(section)
    match section:
        case settings.MqttSink():
            return make_mqtt_sink(section, parts)
        case settings.WebhookSink():
            # A MiB and a half with urllib3.
            from edged.publish.webhook import WebhookSink  # noqa: PLC0415

            verifying_context(section.ca_file)
            return WebhookSink(name, section, parts.clock)
        case settings.ConsoleSink():
            return ConsoleSink(name, parts.clock)
        case settings.FileSink():
            return FileSink(name, Path(section.path), parts.clock)


def make_publishing(
    sections: Sequence[settings.AnySink],
    outbox: Outbox,
    *,
    attempts: int,
    device: str,
    clock: Clock,
    jitter: Callable[[], float],
    requests: RequestTaker | None = None,
    hooks: HookPool | None = None,
    feeds: Sequence[Feed] = (),
    ledger: RetainedLedger | None = None,
    switch: Callable[[str, bool], None] | None = None,
    synced: Sequence[str] = (),
) -> Publishing:
    """The sinks of a configuration with their workers, not started yet.

    Args:
        sections: the configured sinks.
        outbox: where their messages come from.
        attempts: `outbox.attempts` of the configuration.
        device: the device's id.
        clock: who knows the time.
        jitter: gives numbers from 0 to below 1, by chance.
        requests: takes requests; None where there is nobody to work on them: no sink asks for any.
        hooks: delivers for the webhooks of the API's clients, where there is an API.
        feeds: the configured feeds.
        ledger: where it is written down what brokers keep; None: nothing that was kept is ever cleared.
        switch: called with a feed's id and whether it is to be on, from a sink's thread, and does not wait;
            None: no feed can be switched over MQTT.
        synced: the namespaces whose sync the sinks may tell of.

    Raises:
        ConfigurationError: a secret or a certificate cannot be used.
    """
    prefixes = {section.prefix for section in sections if isinstance(section, settings.MqttSink)}
    parts = MqttParts(device, clock, jitter, requests, prefixes, feeds, ledger, switch, synced)

    def worker(section: settings.AnySink) -> SinkWorker:
        retry = section.retry
        return SinkWorker(
            make_sink(section, parts),
            outbox,
            Settler(first_s=retry.first, most_s=retry.most, attempts_most=attempts, jitter=jitter),
            clock,
            jitter,
        )

    return Publishing([worker(section) for section in sections], clock, hooks)
