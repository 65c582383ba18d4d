"""The exchange over a real broker, with participants that only note what happens to them."""

import os
import signal
from collections.abc import Iterator
from contextlib import closing

import pytest

from bench.mosquitto import IS_INSTALLED, WHY_NOT, Mosquitto, Subscriber, eventually
from builders.notebook import Notebook
from edged.domain.sync_state import SyncState
from edged.settings.quantities import Secret
from edged.settings.sinks import MqttSink, Retry
from edged.sync.board import SyncBoard
from edged.sync.exchange import Exchange
from edged.sync.thread import SyncThread, run_until
from edged.system.clock import SystemClock

pytestmark = pytest.mark.skipif(not IS_INSTALLED, reason=WHY_NOT)

CLOCK = SystemClock()


@pytest.fixture
def broker() -> Iterator[Mosquitto]:
    with Mosquitto(persistence=False) as broker:
        yield broker


def an_exchange(
    broker: Mosquitto,
    *seats: Notebook,
    board: SyncBoard | None = None,
    protocol: str = "auto",
    in_flight: int = 20,
    device: str = "porch",
    user: str | None = None,
) -> Exchange:
    section = MqttSink(
        host=broker.host,
        port=broker.port,
        protocol=protocol,
        in_flight=in_flight,
        username=user,
        retry=Retry(first=0.1, most=0.2),
    )
    return Exchange(section, device, lambda: seats, board or SyncBoard(), CLOCK, lambda: 0.0)


def turned(exchange: Exchange, is_done, what: str) -> None:
    assert run_until(exchange, is_done, 20.0, CLOCK), what


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_a_letter_reaches_whoever_reads_its_topic_and_is_acknowledged(broker, protocol):
    one, other = Notebook(), Notebook("home", "home/news")
    with (
        closing(an_exchange(broker, other, protocol=protocol, device="b")) as reading,
        closing(an_exchange(broker, one, protocol=protocol, device="a")) as writing,
    ):
        turned(reading, lambda: reading.is_connected, "a connection")
        ticket = one.post("home/news", b"hello", is_retained=True)
        turned(writing, lambda: ticket in one.acknowledgements, "the acknowledgement")
        turned(reading, lambda: ("home/news", b"hello") in other.came, "the letter")


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_what_is_retained_comes_again_when_it_is_asked_for_again(broker, protocol):
    seat = Notebook("home", "home/kept")
    with closing(an_exchange(broker, seat, protocol=protocol)) as exchange:
        seat.post("home/kept", b"1", is_retained=True)
        turned(exchange, lambda: len(seat.came) >= 1, "the letter")
        seat.came.clear()
        seat.again = {"home/kept"}
        turned(exchange, lambda: seat.came == [("home/kept", b"1")], "the letter again")


def test_topics_are_read_as_long_as_they_are_wanted(broker):
    seat = Notebook("home", "home/a")
    with closing(an_exchange(broker, seat)) as exchange:
        seat.post("home/a", b"first", is_retained=True)
        turned(exchange, lambda: bool(seat.came), "the first")
        seat.reads = {"home/b"}
        turned(exchange, lambda: exchange._subscribed == {"home/b"}, "the other topic")
        seat.post("home/a", b"unread", is_retained=True)
        seat.post("home/b", b"read", is_retained=True)
        turned(exchange, lambda: ("home/b", b"read") in seat.came, "the second")
    assert b"unread" not in [payload for _, payload in seat.came]


def test_each_namespace_gets_its_own_only(broker):
    home, office = Notebook("home", "home/x"), Notebook("office", "office/x")
    with closing(an_exchange(broker, home, office)) as exchange:
        home.post("office/x", b"to the office")
        office.post("home/x", b"to the home")
        turned(exchange, lambda: bool(home.came) and bool(office.came), "both")
    assert home.came == [("home/x", b"to the home")]
    assert office.came == [("office/x", b"to the office")]


def test_a_broker_that_comes_back_empty_is_connected_to_and_read_anew(broker):
    seat = Notebook("home", "home/x")
    board = SyncBoard()
    with closing(an_exchange(broker, seat, board=board)) as exchange:
        turned(exchange, lambda: exchange.is_connected, "a connection")
        broker.stop()
        turned(exchange, lambda: seat.counts["disconnected"] == 1, "the end of it")
        turned(exchange, lambda: _state(board) is SyncState.OFFLINE, "being offline")
        broker.start()
        turned(exchange, lambda: seat.counts["connected"] == 2, "a connection again")
        seat.post("home/x", b"after")
        turned(exchange, lambda: ("home/x", b"after") in seat.came, "the letter")
        turned(exchange, lambda: _state(board) is SyncState.IN_STEP, "being in step")


def test_what_the_broker_refuses_is_said_and_sent_again_later():
    acl = ["user node", "topic read home/#"]
    with Mosquitto(users={"node": "secret"}, acl=acl) as broker:
        section = {"username": "node", "password": "secret"}
        seat, board = Notebook("home", "home/x"), SyncBoard()
        with closing(_with_password(broker, seat, board, section)) as exchange:
            ticket = seat.post("home/x", b"1")
            turned(exchange, lambda: _state(board) is SyncState.FAULTY, "the refusal")
            standing = board.standing("home")
            assert standing is not None
            assert "does not let it write home/x" in standing.trouble
            assert ticket not in seat.acknowledgements


def test_nobody_is_connected_to_while_no_namespace_is_synced(broker):
    seat, board = Notebook(), SyncBoard()
    seat.is_synced = False
    with closing(an_exchange(broker, seat, board=board)) as exchange:
        for _ in range(5):
            exchange.turn(0.01)
        assert not exchange.is_connected
        assert board.standings() == ()
        seat.is_synced = True
        turned(exchange, lambda: exchange.is_connected and bool(board.standings()), "a connection")
        seat.is_synced = False
        turned(exchange, lambda: not exchange.is_connected and not board.standings(), "the end of it")


def test_a_larger_packet_than_is_wanted_does_not_come_with_mqtt_5(broker):
    seat, other = Notebook("home", "home/x", most=1_000), Notebook("other")
    with (
        closing(an_exchange(broker, seat, protocol="5", device="a")) as exchange,
        closing(an_exchange(broker, other, protocol="5", device="b")) as writing,
    ):
        turned(exchange, lambda: exchange.is_connected, "a connection")
        exchange.turn(0.01)
        other.post("home/x", bytes(100_000))
        last = other.post("home/x", b"small")
        turned(writing, lambda: last in other.acknowledgements, "the broker to have both")
        turned(exchange, lambda: bool(seat.came), "the small one")
        assert seat.came == [("home/x", b"small")]
        seat.most = 200_000
        turned(exchange, lambda: seat.counts["connected"] == 2, "another connection, for larger packets")
        other.post("home/x", bytes(100_000), is_retained=True)
        turned(writing, lambda: len(other.acknowledgements) == 3, "the broker to have it")
        turned(exchange, lambda: len(seat.came) == 2, "the large one")


def test_no_more_is_under_way_than_the_window(broker):
    seat = Notebook()
    with closing(an_exchange(broker, seat, in_flight=3)) as exchange:
        turned(exchange, lambda: exchange.is_connected, "a connection")
        os.kill(broker.pid, signal.SIGSTOP)
        try:
            for _ in range(50):
                seat.post("home/x")
            for _ in range(10):
                exchange.turn(0.01)
            assert len(exchange._in_flight) == 3
        finally:
            os.kill(broker.pid, signal.SIGCONT)
        turned(exchange, lambda: len(seat.acknowledgements) == 50, "all of them")
    assert sorted(seat.acknowledgements) == list(range(1, 51))


def test_a_namespace_that_appears_takes_part_and_one_that_goes_is_closed(broker):
    home, office = Notebook("home"), Notebook("office")
    seats = [home]
    section = MqttSink(host=broker.host, port=broker.port)
    board = SyncBoard()
    with closing(Exchange(section, "porch", lambda: seats, board, CLOCK, lambda: 0.0)) as exchange:
        turned(exchange, lambda: exchange.is_connected, "a connection")
        seats.append(office)
        turned(exchange, lambda: office.counts["connected"] == 1, "the other one")
        seats.remove(home)
        turned(exchange, lambda: home.counts["closed"] == 1, "the end of the first")
        turned(exchange, lambda: [one.namespace for one in board.standings()] == ["office"], "the board")


def test_a_client_id_of_its_own_leaves_the_sinks_connection_alone(broker):
    seat = Notebook()
    with closing(an_exchange(broker, seat, device="porch")) as exchange:
        turned(exchange, lambda: exchange.is_connected, "a connection")
        eventually(lambda: "edged-porch-sync" in broker.log, "the name in the broker's log")


def test_a_fault_is_logged_and_the_thread_begins_anew(broker, caplog):
    seat = Notebook()
    thread = SyncThread(an_exchange(broker, seat), rest_s=0.01)
    thread.start()
    try:
        eventually(lambda: seat.counts["connected"] == 1, "a connection")
        seat.fault = ValueError("a fault of ours")
        eventually(lambda: seat.counts["connected"] == 2, "another connection")
    finally:
        assert thread.stop(5.0)
    assert thread.failures == 1
    assert "a fault of ours" in caplog.text


def test_a_fault_in_letting_go_does_not_end_the_thread_either(broker, caplog):
    seat = Notebook()
    thread = SyncThread(an_exchange(broker, seat), rest_s=0.01)
    thread.start()
    try:
        eventually(lambda: seat.counts["connected"] == 1, "a connection")
        seat.fault, seat.fault_of_closing = ValueError("a fault of ours"), ValueError("and another")
        thread.wake()
        eventually(lambda: seat.counts["connected"] == 2, "another connection")
    finally:
        assert thread.stop(5.0)
    assert "and another" in caplog.text


def test_the_stop_sends_what_is_on_its_way_and_ends_the_thread(broker):
    seat = Notebook()
    with Subscriber(broker, "home/#") as listener:
        thread = SyncThread(an_exchange(broker, seat))
        thread.start()
        eventually(lambda: seat.counts["connected"] == 1, "a connection")
        seat.post("home/last", b"words")
        thread.wake()
        assert listener.wait_for(1, "home/last") == ["words"]
        assert thread.stop(5.0)
    assert seat.counts["closed"] == 1


def _state(board: SyncBoard) -> SyncState | None:
    standing = board.standing("home")
    return standing.state if standing else None


def _with_password(broker: Mosquitto, seat: Notebook, board: SyncBoard, access: dict[str, str]) -> Exchange:
    section = MqttSink(
        host=broker.host,
        port=broker.port,
        protocol="5",
        username=access["username"],
        password=Secret("password", access["password"]),
    )
    return Exchange(section, "porch", lambda: (seat,), board, CLOCK, lambda: 0.0)
