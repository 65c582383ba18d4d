"""The exchange at a broker that lies in MQTT itself: nothing gets in, nothing grows, and it comes back."""

import logging
import socket
import tracemalloc
from contextlib import closing, suppress

import pytest

from bench import raw_broker as raw
from bench.mosquitto import eventually
from bench.raw_broker import RawBroker, Visit, honest
from builders.notebook import Notebook, QuickClock, turned
from edged.domain.sync_state import NamespaceSync, SyncState
from edged.settings.sinks import MqttSink, Retry
from edged.sync.board import SyncBoard
from edged.sync.exchange import Exchange
from edged.sync.thread import SyncThread

CLOCK = QuickClock()
TOPIC = "home/x"
MANY = 5_000
RETAIN_AVAILABLE, MAXIMUM_QOS, WILDCARDS, SERVER_KEEP_ALIVE = 0x25, 0x24, 0x28, 0x13
RECEIVE_MAXIMUM, MAXIMUM_PACKET_SIZE = 0x21, 0x27


def an_exchange(broker: RawBroker, *seats: Notebook, board: SyncBoard | None = None) -> Exchange:
    section = MqttSink(host=broker.host, port=broker.port, protocol="5", retry=Retry(first=0.01, most=0.02))
    return Exchange(section, "porch", lambda: seats, board or SyncBoard(), CLOCK, lambda: 0.0)


def saying(*packets: bytes):
    """A script: the broker lets the client in, and says that to its first subscription once it answered."""

    def say(visit: Visit) -> None:
        visit.greet()
        first, body = visit.next()
        visit._answer(first, body, lambda _topic: 0)
        visit.send(*packets)
        visit.serve()

    return say


def a_greeting(*packets: bytes):
    """A script: the broker says that to the CONNECT."""

    def say(visit: Visit) -> None:
        visit.next()
        visit.send(*packets)
        visit.until_left()

    return say


def seen(board: SyncBoard) -> NamespaceSync | None:
    return board.standing("home")


def is_in(board: SyncBoard, state: SyncState) -> bool:
    standing = seen(board)
    return standing is not None and standing.state is state


IN_ORDER = {
    "thousands of user properties": raw.publish(TOPIC, b"bad", *[raw.user_property()] * MANY),
    "a property string of 60 kB": raw.publish(TOPIC, b"bad", raw.user_property("k", "v" * 60_000)),
    "an alias with a topic": raw.publish(TOPIC, b"bad", raw.of_two_bytes(0x23, 1)),
    "alias 0": raw.publish(TOPIC, b"bad", raw.of_two_bytes(0x23, 0)),
    "an unknown property": raw.publish(TOPIC, b"bad", b"\x7f\0"),
    "a content type that is no text": raw.publish(TOPIC, b"bad", b"\x03\0\x02\xff\xfe"),
    "a topic that is no text": raw.publish(b"home/\xff", b"bad"),
    "the same property twice": raw.publish(TOPIC, b"bad", *[raw.of_byte(1, 1)] * 2),
    "properties beyond the packet": raw.packet(0x32, raw.text(TOPIC) + b"\0\x01\xff\x7f"),
    "a packet of 3 MB": raw.publish(TOPIC, bytes(3_000_000)),
}
"""What is read past: the connection stands."""


def test_messages_that_are_not_well_formed_are_read_past_and_the_next_one_comes(caplog):
    caplog.set_level(logging.WARNING)
    seat = Notebook("home", TOPIC)
    good = raw.publish(TOPIC, b"good", mid=2)
    script = saying(*IN_ORDER.values(), good)
    with RawBroker(script) as broker, closing(an_exchange(broker, seat)) as exchange:
        turned(exchange, lambda: bool(seat.came), "the good message")

        assert [payload for _, payload in seat.came] == [b"good"]
        assert (seat.counts["connected"], seat.counts["disconnected"]) == (1, 0)
        assert len([each for each in caplog.records if "unread" in each.message]) == 1
        turned(exchange, lambda: sum(exchange._desks["home"].unread.values()) == len(IN_ORDER), "a count")
        turned(exchange, lambda: 2 in broker.visits[0].acknowledged, "its acknowledgement")
        # Those that were read past too, so that the broker does not bring them again.
        assert broker.visits[0].acknowledged == [1] * len(IN_ORDER) + [2]


LIES = {
    "message expiry 0": raw.of_four_bytes(2, 0),
    "binary that says it is text": raw.of_byte(1, 1),
    "a content type": raw.of_text(3, "text/html"),
    "a response topic": raw.of_text(8, "home/y"),
    "a subscription identifier": b"\x0b\x05",
    "some user properties": raw.user_property() * 100,
}


def test_properties_that_nobody_uses_change_nothing():
    seat = Notebook("home", TOPIC)
    packets = [raw.publish(TOPIC, b"\xff", lie, mid=mid) for mid, lie in enumerate(LIES.values(), 1)]
    with RawBroker(saying(*packets)) as broker, closing(an_exchange(broker, seat)) as exchange:
        turned(exchange, lambda: len(seat.came) == len(LIES), "all of them")

        assert set(seat.came) == {(TOPIC, b"\xff")}
        assert seat.counts["disconnected"] == 0


FAULTS = {
    "an alias without a topic": raw.publish("", b"bad", raw.of_two_bytes(0x23, 7)),
    "QoS 2": raw.publish(TOPIC, b"bad", qos=2),
    "QoS 3": raw.packet(0x36, raw.text(TOPIC) + b"\0\x01\0bad"),
    "a second CONNACK": raw.connack(),
    "a PINGREQ": b"\xc0\x00",
    "a PUBREL": b"\x62\x02\0\x01",
    "a CONNECT": b"\x10\x00",
    "an AUTH": b"\xf0\x00",
    "a packet of the kind 0": b"\x00\x00",
    "a length without an end": b"\x30\xff\xff\xff\xff\x01",
    "a SUBACK of 200 MB": b"\x90\x80\x80\xaf\x5f",
    "a SUBACK with 9 kB of properties": raw.packet(
        0x90, b"\0\x01" + raw.section(*[raw.user_property()] * 1_300)
    ),
    "a PUBACK with a code that is none": raw.packet(0x40, b"\0\x01\x77"),
    "a DISCONNECT with a code that is none": raw.packet(0xE0, b"\x77"),
    "a message that ends in its topic": raw.packet(0x32, b"\0\x20ab"),
    "a message without a number": raw.publish(TOPIC, b"bad", mid=0),
}


@pytest.mark.parametrize("what", FAULTS)
def test_what_no_broker_may_say_ends_the_connection_with_words_and_the_next_one_works(what, caplog):
    seat, board = Notebook("home", TOPIC), SyncBoard()
    packets = (FAULTS[what], raw.publish(TOPIC, b"bad", mid=3))
    with (
        RawBroker(saying(*packets), honest) as broker,
        closing(an_exchange(broker, seat, board=board)) as exchange,
    ):
        turned(exchange, lambda: seat.counts["connected"] == 2, "another connection")
        ticket = seat.post(TOPIC, b"hello")
        turned(exchange, lambda: ticket in seat.acknowledgements, "work as before")

        assert seat.came == []
        assert "the broker sent" in caplog.text
        turned(exchange, lambda: is_in(board, SyncState.IN_STEP), "being in step")


GREETINGS = {
    "a message before the CONNACK": raw.publish(TOPIC, b"bad"),
    "Receive Maximum 0": raw.connack(raw.of_two_bytes(RECEIVE_MAXIMUM, 0)),
    "Maximum Packet Size 0": raw.connack(raw.of_four_bytes(MAXIMUM_PACKET_SIZE, 0)),
    "Maximum QoS 7": raw.connack(raw.of_byte(MAXIMUM_QOS, 7)),
    "thousands of user properties": raw.connack(*[raw.user_property()] * MANY),
    "a code that is none": raw.connack(code=0x55),
    "half of one": b"\x20\x03\0\0",
    "rubbish": b"HTTP/1.1 400 Bad Request\r\n\r\n",
}


@pytest.mark.parametrize("what", GREETINGS)
def test_a_greeting_that_is_none_is_said_and_tried_again(what):
    seat = Notebook("home", TOPIC)
    with (
        RawBroker(a_greeting(GREETINGS[what]), honest) as broker,
        closing(an_exchange(broker, seat)) as exchange,
    ):
        turned(exchange, lambda: exchange.is_connected, "a connection")
        assert seat.came == []


HARMLESS = {
    "Receive Maximum 1": raw.of_two_bytes(RECEIVE_MAXIMUM, 1),
    "Server Keep Alive 1": raw.of_two_bytes(SERVER_KEEP_ALIVE, 1),
    "Server Keep Alive 0": raw.of_two_bytes(SERVER_KEEP_ALIVE, 0),
    "an assigned client identifier": raw.of_text(0x12, "somebody-else"),
    "Session Expiry 0": raw.of_four_bytes(0x11, 0),
    "no shared subscriptions": raw.of_byte(0x2A, 0),
    "no subscription identifiers": raw.of_byte(0x29, 0),
    "no wildcards, for who needs none": raw.of_byte(WILDCARDS, 0),
    "a packet of 4 kB": raw.of_four_bytes(MAXIMUM_PACKET_SIZE, 4_096),
    "no other server's name": raw.of_text(0x1C, "evil.example.org"),
}


@pytest.mark.parametrize("what", HARMLESS)
def test_terms_that_the_sync_can_live_with_are_kept_to(what):
    seat = Notebook("home", TOPIC)

    def script(visit: Visit) -> None:
        visit.greet(HARMLESS[what])
        visit.serve()

    with RawBroker(script) as broker, closing(an_exchange(broker, seat)) as exchange:
        turned(exchange, lambda: exchange.is_connected, "a connection")
        tickets = [seat.post(TOPIC) for _ in range(5)]
        if what == "Receive Maximum 1":
            exchange.turn(0.0)
            assert len(exchange._in_flight) == 1
        turned(exchange, lambda: set(tickets) <= set(seat.acknowledgements), "all letters")


UNFIT = {
    "no retained messages": (raw.of_byte(RETAIN_AVAILABLE, 0), "Retain Available 0"),
    "no QoS 1": (raw.of_byte(MAXIMUM_QOS, 0), "Maximum QoS 0"),
    "1 byte": (raw.of_four_bytes(MAXIMUM_PACKET_SIZE, 1), "no packet of more than 1 bytes"),
    "20 bytes": (raw.of_four_bytes(MAXIMUM_PACKET_SIZE, 20), "no packet of more than 20 bytes"),
    "200 bytes": (raw.of_four_bytes(MAXIMUM_PACKET_SIZE, 200), "no packet of more than 200 bytes"),
    "no wildcards": (raw.of_byte(WILDCARDS, 0), "Wildcard Subscription Available 0"),
}


@pytest.mark.parametrize("what", UNFIT)
def test_a_broker_that_cannot_carry_the_sync_is_told_with_what_to_do(what, caplog):
    seat, board = Notebook("home", "home/+/x"), SyncBoard()
    term, words = UNFIT[what]

    def script(visit: Visit) -> None:
        visit.greet(term)
        visit.until_left()

    with RawBroker(script) as broker, closing(an_exchange(broker, seat, board=board)) as exchange:
        turned(exchange, lambda: is_in(board, SyncState.FAULTY), "the trouble")
        trouble = seen(board).trouble
        assert words in trouble
        assert "this broker cannot carry the sync" in trouble
        assert "another broker in `sync.broker`" in trouble
        assert words in caplog.text
        assert seat.counts["connected"] == 0
        broker.scripts.append(honest)
        turned(exchange, lambda: is_in(board, SyncState.IN_STEP), "being in step, once it is fit")


def test_wildcards_that_are_needed_later_are_no_fault_before():
    seat, board = Notebook("home", "home/x"), SyncBoard()

    def script(visit: Visit) -> None:
        visit.greet(raw.of_byte(WILDCARDS, 0))
        visit.serve()

    with RawBroker(script) as broker, closing(an_exchange(broker, seat, board=board)) as exchange:
        turned(exchange, lambda: exchange.is_connected, "a connection")
        seat.reads.add("home/+/x")
        turned(exchange, lambda: is_in(board, SyncState.FAULTY), "the trouble")
        assert "wildcards" in seen(board).trouble


@pytest.mark.parametrize("code", [0x87, 0x97])
def test_a_refusal_of_a_letter_is_said_and_the_letter_is_kept(code):
    seat, board = Notebook("home", TOPIC), SyncBoard()

    def script(visit: Visit) -> None:
        visit.greet()
        visit.serve(code_of=lambda topic: code if topic.endswith("bad") else 0)

    with RawBroker(script) as broker, closing(an_exchange(broker, seat, board=board)) as exchange:
        refused, taken = seat.post("home/bad"), seat.post("home/good")
        turned(exchange, lambda: taken in seat.acknowledgements, "the other letter")
        turned(exchange, lambda: is_in(board, SyncState.FAULTY), "the trouble")

        assert "does not let it write home/bad: " in seen(board).trouble
        assert f"reason code {code}" in seen(board).trouble
        assert refused not in seat.acknowledgements


def test_letters_that_are_refused_for_all_reasons_are_sent_again_and_taken_in_the_end(caplog):
    codes = [0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99]
    left = dict(zip((f"home/{code}" for code in codes), codes, strict=True))
    seat = Notebook("home", TOPIC)

    def script(visit: Visit) -> None:
        visit.greet()
        visit.serve(code_of=lambda topic: left.pop(topic, 0))

    with RawBroker(script) as broker, closing(an_exchange(broker, seat)) as exchange:
        tickets = {seat.post(topic) for topic in tuple(left)}
        turned(exchange, lambda: tickets == set(seat.acknowledgements), "all, once they are taken")

    told = [record for record in caplog.records if "stands still" in record.message]
    assert len(told) == 1


FAREWELLS = {
    0x00: "no reason given",
    0x82: "protocol error",
    0x87: "access list",
    0x8B: "shutting down",
    0x93: "more at once than it takes",
    0x95: "larger than it takes",
    0x97: "quota",
    0x98: "somebody who runs it",
    0x9A: "no retained messages",
    0x9B: "QoS 1",
    0x9C: "`host`",
    0x9D: "`host`",
    0xA0: "so long",
}


@pytest.mark.parametrize("code", FAREWELLS)
def test_each_farewell_of_the_broker_is_told_in_words_of_what_to_do(code, caplog):
    seat = Notebook("home", TOPIC)
    its_words = raw.of_text(0x1F, "so there\n\x1b[2J"), raw.of_text(0x1C, "evil.example.org")
    farewell = raw.disconnect(code, *its_words)
    with RawBroker(saying(farewell), honest) as broker, closing(an_exchange(broker, seat)) as exchange:
        turned(exchange, lambda: seat.counts["connected"] == 2, "another connection")

    assert FAREWELLS[code] in caplog.text
    assert "in its words: so there" in caplog.text
    assert "\x1b" not in caplog.text
    assert broker.visits[1].client_id == "edged-porch-sync"


def test_a_packet_of_256_mib_and_thousands_of_properties_are_not_held():
    # 24 MB stand for them: what is read past is read past in the same pieces.
    seat = Notebook("home", TOPIC)
    piece = bytes(60_000)

    def script(visit: Visit) -> None:
        visit.greet()
        visit.next()
        length = 400 * len(piece)
        head = raw.text(TOPIC) + b"\0\x01\0"
        visit.send(b"\x32" + raw.number(length + len(head)) + head, *[piece] * 400)
        visit.send(raw.publish(TOPIC, b"good", mid=2))
        visit.until_left()

    with RawBroker(script) as broker, closing(an_exchange(broker, seat)) as exchange:
        turned(exchange, lambda: exchange.is_connected, "a connection")
        tracemalloc.start()
        try:
            turned(exchange, lambda: bool(seat.came), "the good message")
            most_bytes = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert [payload for _, payload in seat.came] == [b"good"]
    assert most_bytes < 2_000_000


def test_acknowledgements_that_the_broker_does_not_read_are_bounded():
    seat = Notebook("home", TOPIC)

    def script(visit: Visit) -> None:
        visit.greet()
        message = raw.publish(TOPIC, b"")
        with suppress(TimeoutError):
            while not visit.over.is_set():
                visit.send(message * 500)

    with RawBroker(script, receive_buffer=4_096) as broker, closing(an_exchange(broker, seat)) as exchange:
        turned(exchange, lambda: exchange.is_connected, "a connection")
        link = exchange._keeper.link
        link._client.socket().setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4_096)
        turned(exchange, lambda: link._owed >= 1_000, "acknowledgements that stay here")
        for _ in range(3_000):
            exchange.turn(0.0)

        assert link._owed == 1_000
        assert len(link._client._out_packet) <= 1_001


def test_subscriptions_that_are_never_answered_are_bounded(caplog):
    seat = Notebook("home", TOPIC)

    def script(visit: Visit) -> None:
        visit.greet()
        visit.until_left()

    with RawBroker(script) as broker, closing(an_exchange(broker, seat)) as exchange:
        turned(exchange, lambda: exchange.is_connected, "a connection")
        for _ in range(300):
            seat.again = {TOPIC}
            exchange.turn(0.0)

        assert "the broker answers no subscription" in caplog.text


def test_the_thread_lives_through_all_of_it_without_a_fault_of_its_own(caplog):
    caplog.set_level(logging.CRITICAL)
    seat = Notebook("home", TOPIC)
    lies = [saying(lie) for lie in FAULTS.values()] + [a_greeting(lie) for lie in GREETINGS.values()]
    with RawBroker(*lies, honest) as broker:
        thread = SyncThread(an_exchange(broker, seat))
        thread.start()
        try:
            eventually(lambda: len(broker.visits) > len(lies), "an honest connection")
            ticket = seat.post(TOPIC)
            eventually(lambda: ticket in seat.acknowledgements, "work as before")
            assert thread.is_alive()
            assert thread.failures == 0
        finally:
            assert thread.stop(5.0)
