"""The exchange of all namespaces of a node with one broker, over one connection of its own."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from edged.delivery.mqtt_answer import outcome_of
from edged.delivery.outcome import Fate
from edged.delivery.topics import Topics
from edged.domain.moment import Clock, Moment
from edged.publish.complaints import Complaints
from edged.publish.mqtt_address import address_of, rename_words
from edged.publish.mqtt_keeper import LinkKeeper, Turn
from edged.publish.mqtt_link import Ack, MqttLink
from edged.publish.mqtt_subscriptions import Arrival
from edged.publish.wake_up import WakeUp
from edged.settings.sinks import MqttSink
from edged.sync.board import SyncBoard
from edged.sync.broker_sight import BrokerSight, seen
from edged.sync.participant import Connection, Letter
from edged.sync.seat import Desk, Seat
from edged.sync.unreadable import Unreadable

_BESIDE_BYTES: Final = 8_192
"""Room in a packet for what stands beside the payload."""
_IN_FLIGHT_BYTES: Final = 1_000_000
_SUBSCRIBED_AT_ONCE: Final = 8
"""AWS IoT takes no more in one SUBSCRIBE (its quotas for the message broker); others do not care."""
_LOOK_MS: Final = 1_000
_TELL_MS: Final = 250
_REFUSED_REST_MS: Final = 10_000
_MOST_REFUSED: Final = 64
_GOODBYE_LOOKS: Final = 4
_GOODBYE_LOOK_S: Final = 0.1

_LOG: Final = logging.getLogger(__name__)


class Exchange:
    """Carries letters and messages between participants and a broker. All calls but `wake` are one thread's.

    Args:
        broker: the sink whose broker it is; the connection is another one than the sink's.
        device: this device's name; the client is `edged-<device>-sync`, or the sink's with `-sync`.
        seats: gives the namespaces there are now; asked once a second, because some may appear.
        board: is told how each stands.
        clock: who knows the time.
        jitter: gives numbers from 0 to below 1, by chance.
    """

    def __init__(
        self,
        broker: MqttSink,
        device: str,
        seats: Callable[[], Sequence[Seat]],
        board: SyncBoard,
        clock: Clock,
        jitter: Callable[[], float],
    ) -> None:
        own = address_of(broker, device, Topics(broker.prefix, device))
        address = replace(own, client_id=f"{own.client_id}-sync", will_topic=None)
        self._alarm = WakeUp()
        self._keeper = LinkKeeper(
            "The sync",
            "namespaces stay as they are",
            address,
            broker,
            clock,
            jitter,
            self._alarm,
            self,
            rename=rename_words(broker, device),
        )
        self._most_in_flight = broker.in_flight
        self._window = broker.in_flight
        self._seats = seats
        self._board = board
        self._clock = clock
        self._desks: dict[str, Desk] = {}
        self._in_flight: dict[int, tuple[Desk, Letter]] = {}
        self._in_flight_bytes = 0
        self._subscribed: set[str] = set()
        self._unreadable = Unreadable(clock)
        self._unfit = ""
        self._declared_bytes = 0
        self._looked_ms: int | None = None
        self._told_ms: int | None = None
        self._is_moving = False
        self._writing = Complaints(_LOG, clock)

    @property
    def is_connected(self) -> bool:
        """Whether the broker has let us in."""
        return self._keeper.is_greeted

    def wake(self) -> None:
        """End the wait: somebody changed a namespace. Any thread may call it."""
        self._alarm.ring()

    def turn(self, timeout_s: float) -> None:
        """One round: what came, what is due, what is to be sent. Waits for news for `timeout_s` at most."""
        now = self._clock.moment()
        self._look_for_seats(now)
        link = self._keeper.link
        if link is None:
            self._without_link(timeout_s)
        else:
            self._with_link(link, timeout_s)
        self._tell(self._clock.moment())

    def start_over(self) -> None:
        """Drop the connection and close the databases, after a fault; the next turn begins anew."""
        self._keeper.say_goodbye()
        self._forget_connection()
        for desk in self._desks.values():
            desk.seat.close()
        self._desks.clear()
        self._looked_ms = None

    def close(self) -> None:
        """Let what is on its way arrive, for a moment; then leave the broker and close the databases."""
        for _ in range(_GOODBYE_LOOKS):
            if not self._in_flight or not self.is_connected:
                break
            for ack in self._keeper.service(_GOODBYE_LOOK_S):
                self._acknowledged(ack)
        self.start_over()
        self._alarm.close()

    # --- the link's reader

    @property
    def most_packet_bytes(self) -> int:
        """A packet with more bytes is none that any namespace can want."""
        wanted = [desk.seat.most_payload_bytes() for desk in self._desks.values()]
        self._declared_bytes = max(wanted, default=0) + _BESIDE_BYTES
        return self._declared_bytes

    def arrived(self, arrival: Arrival) -> None:
        """Hand a message to the namespaces that it is for."""
        now = self._clock.moment()
        self._is_moving = True
        for desk in self._desks.values():
            if not desk.seat.takes(arrival.topic):
                continue
            if arrival.unread:
                desk.unread[arrival.unread] += 1
            else:
                desk.seat.arrived(arrival.topic, arrival.payload, now)

    def subscribed(self, topics: Sequence[str], refusals: Sequence[str]) -> None:
        """Note what may not be read, and say it."""
        self._unreadable.answered(topics, refusals)

    # --- rounds

    def _look_for_seats(self, now: Moment) -> None:
        if self._looked_ms is not None and now.steady_ms - self._looked_ms < _LOOK_MS:
            return
        self._looked_ms = now.steady_ms
        seats = {seat.namespace: seat for seat in self._seats()}
        for namespace in [name for name in self._desks if name not in seats]:
            self._desks.pop(namespace).seat.close()
            self._board.forget(namespace)
        for namespace, seat in seats.items():
            if namespace not in self._desks:
                self._desks[namespace] = Desk(seat)
                if self.is_connected:
                    seat.connected(self._connection(), now)

    def _without_link(self, timeout_s: float) -> None:
        now = self._clock.moment()
        for desk in self._desks.values():
            # Letters of now would reach nobody; with the connection they are made anew.
            for _ in desk.seat.turn(now):
                pass
        left_s = self._keeper.wait_s()
        if not any(desk.seat.is_synced for desk in self._desks.values()):
            self._alarm.poll(None, 0, timeout_s)
        elif left_s > 0:
            self._alarm.poll(None, 0, min(timeout_s, left_s))
        else:
            self._keeper.connect()

    def _with_link(self, link: MqttLink, timeout_s: float) -> None:
        if self._keeper.is_greeted:
            if not self._is_fit(link):
                self._forget_connection()
                return
            self._turn_seats()
            # Before what is sent: the answer to it is not to be missed.
            self._match_subscriptions(link)
            for desk in self._desks.values():
                self._send(desk)
        self._is_moving = False
        is_idle = all(not desk.backlog for desk in self._desks.values()) or not self._has_room()
        acks = self._keeper.service(timeout_s if is_idle else 0.0)
        for ack in acks:
            self._acknowledged(ack)
        turn = self._keeper.look(has_moved=bool(acks) or self._is_moving or not self._in_flight)
        if turn is Turn.LOST:
            self._lost()
        elif turn is Turn.UP:
            self._greet(link)
        elif self._keeper.is_greeted and self._must_part():
            self._keeper.say_goodbye()
            self._forget_connection()

    def _must_part(self) -> bool:
        """Whether nobody needs the connection any more, or another one with room for larger packets."""
        if not any(desk.seat.is_synced for desk in self._desks.values()):
            return True
        wanted = max(desk.seat.most_payload_bytes() for desk in self._desks.values()) + _BESIDE_BYTES
        return wanted > self._declared_bytes

    def _is_fit(self, link: MqttLink) -> bool:
        """Whether the sync can go over this broker; parts from it and says why where it cannot."""
        is_wild = not link.terms.takes_wildcards and any(
            "+" in topic for desk in self._desks.values() for topic in desk.seat.subscriptions()
        )
        self._unfit = link.terms.against_sync(with_wildcards=is_wild)
        if self._unfit:
            self._keeper.part(self._unfit)
        return not self._unfit

    def _greet(self, link: MqttLink) -> None:
        if not self._is_fit(link):
            return
        self._window = min(self._most_in_flight, link.receive_maximum or self._most_in_flight)
        now = self._clock.moment()
        for desk in self._desks.values():
            desk.seat.connected(self._connection(), now)
        _LOG.log(
            self._keeper.greeting_level(),
            "Sync: connected to %s, MQTT %s",
            self._keeper.where,
            link.version,
        )

    def _connection(self) -> Connection:
        most = self._keeper.link.packet_maximum if self._keeper.link else None
        return Connection(None if most is None else max(0, most - _BESIDE_BYTES // 8))

    def _lost(self) -> None:
        self._keeper.end(is_idle=not self._in_flight)
        self._forget_connection()

    def _forget_connection(self) -> None:
        self._in_flight.clear()
        self._in_flight_bytes = 0
        self._subscribed.clear()
        self._unreadable.clear()
        now = self._clock.moment()
        for desk in self._desks.values():
            desk.forget()
            desk.seat.disconnected(now)

    # --- sending

    def _turn_seats(self) -> None:
        for desk in self._desks.values():
            now = self._clock.moment()
            while desk.refused and desk.refused[0][0] <= now.steady_ms:
                desk.backlog.append(desk.refused.popleft()[1])
            if not desk.backlog:
                desk.backlog.extend(desk.seat.turn(now))

    def _has_room(self) -> bool:
        return len(self._in_flight) < self._window and self._in_flight_bytes < _IN_FLIGHT_BYTES

    def _send(self, desk: Desk) -> None:
        while desk.backlog and self._has_room():
            letter = desk.backlog.popleft()
            link = self._keeper.link
            mid = None
            if link is not None:
                mid = link.publish(letter.topic, letter.payload, retain=letter.is_retained)
            if mid is None:
                # The connection is over, which the next look at it says.
                return
            self._in_flight[mid] = desk, letter
            self._in_flight_bytes += len(letter.payload)

    def _acknowledged(self, ack: Ack) -> None:
        if ack.mid not in self._in_flight:
            return
        desk, letter = self._in_flight.pop(ack.mid)
        self._in_flight_bytes -= len(letter.payload)
        outcome = outcome_of(ack.reason_code)
        now = self._clock.moment()
        if outcome.fate is Fate.DELIVERED:
            desk.seat.acknowledged(letter.ticket, now)
            if not desk.refused:
                desk.refusal = ""
            return
        # The first stands for all: topics that take turns would be told every time.
        desk.refusal = desk.refusal or f"the broker does not let it write {letter.topic}: {outcome.reason}"
        self._writing.tell(f"The sync stands still: {desk.refusal}", level=logging.ERROR)
        if len(desk.refused) < _MOST_REFUSED:
            desk.refused.append((now.steady_ms + _REFUSED_REST_MS, letter))

    # --- reading

    def _match_subscriptions(self, link: MqttLink) -> None:
        """Have the broker's list be what the namespaces want; one that stays is left alone."""
        wanted: set[str] = set()
        again: set[str] = set()
        for desk in self._desks.values():
            wanted |= desk.seat.subscriptions()
            again |= desk.seat.asks_again()
        gone = sorted(self._subscribed - wanted)
        fresh = sorted((wanted - self._subscribed) | (again & wanted))
        self._unreadable.forget(gone)
        for start in range(0, len(gone), _SUBSCRIBED_AT_ONCE):
            link.unsubscribe(gone[start : start + _SUBSCRIBED_AT_ONCE])
        for start in range(0, len(fresh), _SUBSCRIBED_AT_ONCE):
            link.subscribe(fresh[start : start + _SUBSCRIBED_AT_ONCE])
        self._subscribed = wanted

    # --- telling

    def _tell(self, now: Moment) -> None:
        if self._told_ms is None:
            # The connection has as long to come about; that it is not there at the start is no news.
            self._told_ms = now.steady_ms
        if now.steady_ms - self._told_ms < _TELL_MS:
            return
        self._told_ms = now.steady_ms
        for namespace, desk in self._desks.items():
            if desk.seat.is_synced:
                standing = seen(desk.seat.standing(now), self._sight(desk))
                self._board.tell(standing, desk.seat.lags(now))
            else:
                self._board.forget(namespace)

    def _sight(self, desk: Desk) -> BrokerSight:
        keeper = self._keeper
        return BrokerSight(
            trouble="" if self.is_connected else f"not connected to {keeper.where}: {keeper.trouble}",
            is_unfit=bool(self._unfit) and keeper.trouble == self._unfit,
            refusal=desk.refusal or self._unreadable.trouble(desk.seat.subscriptions()),
            remark=keeper.remark,
            unread=desk.unread,
        )
