"""The sink `mqtt`: keeps a connection and sends through a bounded window what is acknowledged."""

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Final

from edged.delivery import mqtt_answer
from edged.delivery.batch import Batch
from edged.delivery.lateness import body_to_send
from edged.delivery.outcome import Fate, Outcome
from edged.delivery.parcel import Parcel
from edged.delivery.topics import Topics, is_retained
from edged.delivery.window import Window
from edged.domain.moment import Clock
from edged.publish.announcer import Announcer
from edged.publish.latest_states import Saying
from edged.publish.mqtt_address import address_of, rename_words
from edged.publish.mqtt_keeper import LinkKeeper, Turn
from edged.publish.mqtt_link import Ack, MqttLink
from edged.publish.mqtt_subscriptions import Subscriptions
from edged.publish.retained_topics import RetainedTopics
from edged.publish.state_board import StateBoard
from edged.publish.state_sender import StateSender
from edged.publish.wake_up import WakeUp
from edged.settings.sinks import MqttSink as Settings

_LOOK_S: Final = 0.25
_GOODBYE_LOOKS: Final = 4
_GOODBYE_LOOK_S: Final = 0.1
_PACKET_OVERHEAD_BYTES: Final = 16
"""A PUBLISH is its topic, payload and correlation data and, with QoS 1, at most this (MQTT 5.0, 3.3): 5 for
the fixed header, 2 each for the topic's length and the packet identifier, 2 for the properties' length, 3 for
the correlation data's kind and length."""

_LOG = logging.getLogger(__name__)


class MqttSink:
    """Messages to a broker, QoS 1; delivered is what its PUBACK has come for.

    The worker's thread drives the connection in `wait` and `deliver`. Beside the outbox it keeps the
    device's `status` and states of the device and its feeds, of which only the latest is worth sending.
    """

    batch = 256

    def __init__(
        self,
        sink_id: str,
        settings: Settings,
        device: str,
        clock: Clock,
        jitter: Callable[[], float],
        subscriptions: Subscriptions | None = None,
        retained: RetainedTopics | None = None,
        announcer: Announcer | None = None,
    ) -> None:
        self.id = sink_id
        self._settings = settings
        self._clock = clock
        self._subscriptions = subscriptions
        self._topics = Topics(settings.prefix, device)
        self._window = Window(settings.in_flight)
        self._alarm = WakeUp()
        self._stopping = threading.Event()
        address = address_of(settings, device, self._topics)
        self._keeper = LinkKeeper(
            f"The sink `{sink_id}`",
            "messages wait",
            address,
            settings,
            clock,
            jitter,
            self._alarm,
            subscriptions,
            rename=rename_words(settings, device),
        )
        self._in_flight: dict[int, int | Saying | None] = {}
        """By packet identifier: the index in the batch, what does not come from the outbox, or None for what
        nobody waits for any more."""
        self._batch = Batch(())
        self._refused = ""
        self.board = StateBoard(settings, self._topics, self._alarm.ring)
        """What the broker keeps of us; any thread may tell it."""
        self._states = StateSender(
            sink_id, self._topics, self.board.latest, clock, retained=retained, announcer=announcer
        )

    @property
    def is_finished(self) -> bool:
        """Never: brokers come back."""
        return False

    @property
    def condition(self) -> str:
        """How it is doing, for people."""
        link = self._link
        if link is not None and link.is_up:
            unread = self._subscriptions.trouble if self._subscriptions else ""
            trouble = ", ".join(words for words in (unread, self._keeper.remark) if words)
            return f"connected to {self._where} (MQTT {link.version}){trouble and f', {trouble}'}"
        return f"not connected to {self._where}: {self._keeper.trouble}"

    @property
    def _link(self) -> MqttLink | None:
        return self._keeper.link

    @property
    def _where(self) -> str:
        return self._keeper.where

    def is_ready(self) -> bool:
        """Whether the broker has let us in; makes or keeps the connection on the way."""
        if self._link is None or not self._link.is_up:
            self.wait(0.0)
        return self._link is not None and self._link.is_up

    def wake(self) -> None:
        """End the wait."""
        self._alarm.ring()

    def interrupt(self) -> None:
        """End the wait, and what is being sent."""
        self._stopping.set()
        self._alarm.ring()

    def wait(self, timeout_s: float) -> None:
        """Keep the connection alive, or make it when its time has come."""
        if self._link is not None:
            self._serve(timeout_s)
            return
        left_s = self._keeper.wait_s()
        if left_s > 0:
            self._alarm.poll(None, 0, min(timeout_s, left_s))
        elif not self._stopping.is_set():
            self._states.prepare()
            self._keeper.connect()

    def deliver(self, parcels: Sequence[Parcel]) -> list[Outcome]:
        """Send the batch through the window. What was not acknowledged in the end counts as not tried."""
        batch = self._batch = Batch(parcels)
        try:
            self._send(parcels, batch)
        finally:
            # A late acknowledgement has nobody to tell any more.
            self._batch = Batch(())
            self._in_flight = {
                mid: what if isinstance(what, Saying) else None for mid, what in self._in_flight.items()
            }
        return batch.outcomes()

    def _send(self, parcels: Sequence[Parcel], batch: Batch) -> None:
        looks_left = _GOODBYE_LOOKS
        while self._link is not None and not batch.is_done and looks_left > 0:
            if not self._stopping.is_set():
                self._fill(parcels)
                self._serve(_LOOK_S)
                continue
            # What is on its way may yet be acknowledged, which saves sending it twice; no more is sent.
            looks_left -= 1
            if not batch.in_flight:
                break
            self._serve(_GOODBYE_LOOK_S)

    def close(self) -> None:
        """Say `offline` and goodbye."""
        if self._link is not None and self._link.is_up:
            for saying in self._states.farewell():
                self._publish(saying.topic, saying.body, retain=saying.retain, what=saying)
            for _ in range(_GOODBYE_LOOKS):
                if self._link is None or not self._in_flight:
                    break
                self._serve(_GOODBYE_LOOK_S)
        self._keeper.say_goodbye()
        self._keeper.trouble = "closed"
        self._alarm.close()

    def _serve(self, timeout_s: float) -> None:
        """One round on the connection: what came, what it means, what is due."""
        link = self._link
        if link is None:
            return
        if link.is_up and self._keeper.is_greeted:
            self._states.turn()
            self._send_states()
        acks = self._keeper.service(timeout_s)
        for ack in acks:
            self._acknowledged(ack)
        turn = self._keeper.look(has_moved=bool(acks) or not self._in_flight)
        if turn is Turn.LOST:
            self._lost(link)
        elif turn is Turn.UP:
            self._greet(link)

    def _greet(self, link: MqttLink) -> None:
        self._refused = ""
        self._window.connected(link.receive_maximum)
        # Before it says `online`: whoever waited for that may ask.
        if self._subscriptions is not None:
            link.subscribe(self._subscriptions.topics)
        self._states.connected()
        self._send_states()
        level = self._keeper.greeting_level()
        _LOG.log(level, "Sink `%s`: connected to %s, MQTT %s", self.id, self._where, link.version)

    def _lost(self, link: MqttLink) -> None:
        """What is unacknowledged goes back to the outbox, and comes again with the next connection."""
        on_their_way = [what for what in self._in_flight.values() if isinstance(what, int)]
        self._states.lost(what for what in self._in_flight.values() if isinstance(what, Saying))
        if self._window.lost(len(on_their_way)):
            failed = Outcome(Fate.FAILED, f"the connection was lost while it was sent: {link.reason}")
            self._batch.answered(on_their_way[0], failed)
        self._in_flight.clear()
        self._keeper.end(is_idle=not on_their_way)

    def _fill(self, parcels: Sequence[Parcel]) -> None:
        while self._link is not None and len(self._in_flight) < self._window.size:
            index = self._batch.peek()
            if index is None:
                return
            message = parcels[index].message
            topic = self._topics.of(message)
            max_age_ms = int(self._settings.event_max_age * 1000)
            body = body_to_send(parcels[index], self._clock.moment(), max_age_ms)
            retain = is_retained(message.kind)
            if retain and not self._states.is_wanted(topic):
                # Of a feed that left the configuration while it waited: what was cleared must not come back.
                body = b""
            self._batch.sent(index)
            correlation = message.reply.correlation if message.reply else b""
            if self._is_too_large(topic, correlation, body):
                self._batch.answered(index, mqtt_answer.outcome_of(mqtt_answer.PACKET_TOO_LARGE))
            else:
                self._publish(topic, body, retain=retain, what=index, correlation=correlation)

    def _is_too_large(self, topic: str, correlation: bytes, body: bytes) -> bool:
        most = self._link.packet_maximum if self._link else None
        size = len(topic.encode()) + len(correlation) + len(body) + _PACKET_OVERHEAD_BYTES
        return most is not None and size > most

    def _publish(
        self, topic: str, payload: bytes, *, retain: bool, what: int | Saying, correlation: bytes = b""
    ) -> None:
        link = self._link
        if link is None:
            return
        mid = link.publish(topic, payload, retain=retain, correlation=correlation)
        if mid is None:
            self._lost(link)
        else:
            self._in_flight[mid] = what

    def _send_states(self) -> None:
        while self._link is not None and len(self._in_flight) < self._window.size:
            saying = self._states.take()
            if saying is None:
                return
            if self._is_too_large(saying.topic, b"", saying.body):
                self._not_taken(saying, mqtt_answer.outcome_of(mqtt_answer.PACKET_TOO_LARGE))
            else:
                self._publish(saying.topic, saying.body, retain=saying.retain, what=saying)

    def _acknowledged(self, ack: Ack) -> None:
        if ack.mid not in self._in_flight:
            return
        what = self._in_flight.pop(ack.mid)
        outcome = mqtt_answer.outcome_of(ack.reason_code)
        if isinstance(what, int):
            self._window.acknowledged()
            self._batch.answered(what, outcome)
        elif what is None:
            return
        elif outcome.fate is Fate.DELIVERED:
            self._states.answered(what, is_taken=True)
        else:
            self._not_taken(what, outcome)

    def _not_taken(self, saying: Saying, outcome: Outcome) -> None:
        self._states.answered(saying, is_taken=False)
        # The first stands for all: topics that take turns would be told every time.
        self._refused = self._refused or saying.topic
        self._keeper.complaints.tell(
            f"The sink `{self.id}` may not write {self._refused}: {outcome.reason}", level=logging.ERROR
        )
