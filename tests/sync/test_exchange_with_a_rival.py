"""Another client of the same name at the broker."""

from contextlib import closing

import pytest

from bench import raw_broker as raw
from bench.mosquitto import IS_INSTALLED, WHY_NOT, Mosquitto
from bench.raw_broker import RawBroker, Visit, honest
from builders.namespaces import HandClock
from builders.notebook import Notebook, QuickClock, turned
from edged.domain.sync_state import SyncState
from edged.settings.sinks import MqttSink, Retry
from edged.sync.board import SyncBoard
from edged.sync.exchange import Exchange

TAKEN_OVER = 0x8E


class Party:
    """An exchange with one namespace, and what it tells."""

    def __init__(
        self, broker: RawBroker | Mosquitto, protocol: str = "5", clock=None, **changes: str
    ) -> None:
        section = MqttSink(
            host=broker.host,
            port=broker.port,
            protocol=protocol,
            retry=Retry(first=0.01, most=0.02),
            **changes,
        )
        self.seat, self.board = Notebook("home", "home/x"), SyncBoard()
        self.exchange = Exchange(
            section, "porch", lambda: (self.seat,), self.board, clock or QuickClock(), lambda: 0.0
        )

    def close(self) -> None:
        self.exchange.close()

    @property
    def trouble(self) -> str:
        standing = self.board.standing("home")
        return standing.trouble if standing else ""

    def turned(self, is_done, what: str) -> None:
        turned(self.exchange, is_done, what)


def taken_over(visit: Visit) -> None:
    visit.greet()
    visit.next()
    visit.send(raw.disconnect(TAKEN_OVER))
    visit.until_left()


def closed(visit: Visit) -> None:
    visit.greet()
    visit.next()


def test_that_the_session_was_taken_over_is_said_with_the_name_and_what_to_change(caplog):
    with RawBroker(taken_over, honest) as broker, closing(Party(broker)) as party:
        party.turned(lambda: bool(party.trouble), "the trouble")

        assert "another client has connected to the broker as `edged-porch-sync`" in party.trouble
        assert "its own `device` in its configuration (here `porch`)" in party.trouble
        assert "session taken over" in caplog.text
        assert party.board.standing("home").state is SyncState.OFFLINE
        party.turned(lambda: party.exchange.is_connected, "a connection, after a while")
        party.turned(lambda: party.board.standing("home").state is SyncState.IN_STEP, "being in step")
        assert "another client" in party.trouble


def test_the_other_one_is_left_alone_for_a_while_before_the_next_try():
    clock = HandClock()
    with RawBroker(taken_over) as broker, closing(Party(broker, clock=clock)) as party:
        party.turned(lambda: party.seat.counts["disconnected"] == 1, "the end of the connection")

        # At full speed it would be 10 ms.
        assert party.exchange._keeper.wait_s() == 15


def test_where_the_name_is_configured_that_is_what_to_change():
    with RawBroker(taken_over) as broker, closing(Party(broker, client_id="cam")) as party:
        party.turned(lambda: bool(party.trouble), "the trouble")

        assert "`cam-sync`" in party.trouble
        assert "its own `client_id`" in party.trouble


@pytest.mark.parametrize("protocol", ["3.1.1", "5"])
def test_a_broker_that_only_closes_again_and_again_may_do_so_for_a_rival(protocol):
    with RawBroker(closed, closed, closed, honest) as broker, closing(Party(broker, protocol)) as party:
        party.turned(lambda: "another client" in party.trouble, "the suspicion")

        assert "it may be that another client is connected as `edged-porch-sync` too" in party.trouble


@pytest.mark.skipif(not IS_INSTALLED, reason=WHY_NOT)
def test_a_broker_that_is_started_again_and_again_is_no_rival():
    with Mosquitto(persistence=False) as broker, closing(Party(broker, "3.1.1")) as party:
        keeper = party.exchange._keeper
        for _ in range(5):
            party.turned(lambda: keeper.is_greeted, "a connection")
            broker.kill()
            party.turned(lambda: not keeper.is_greeted and "refused" in keeper.trouble, "nobody to be there")
            broker.start()

        assert keeper.remark == ""


@pytest.mark.skipif(not IS_INSTALLED, reason=WHY_NOT)
def test_two_nodes_of_one_name_at_a_real_broker():
    with (
        Mosquitto(persistence=False) as broker,
        closing(Party(broker)) as one,
        closing(Party(broker)) as other,
    ):
        parties = (one, other)

        def is_said() -> bool:
            other.exchange.turn(0.0)
            return any("another client" in party.trouble for party in parties)

        one.turned(is_said, "one of them to say it")
        # mosquitto 2.0.11 only closes; later ones say it.
        (told, *_) = (party for party in parties if party.trouble)
        assert "`edged-porch-sync`" in told.trouble
