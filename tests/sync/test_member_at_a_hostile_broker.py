"""A real member, over MQTT, at a broker that lies in the packets and in what they carry."""

from contextlib import closing

from bench import raw_broker as raw
from bench.raw_broker import RawBroker, Visit
from builders.namespaces import a_store
from builders.notebook import QuickClock, turned
from builders.sync import AnAuthority, a_person, be_member, node_parts
from edged.domain.sync_state import SyncState
from edged.settings.sinks import MqttSink, Retry
from edged.sync.board import SyncBoard
from edged.sync.exchange import Exchange
from edged.sync.node import Node, engine_of

TRUTH = AnAuthority()
LIES = (
    raw.of_byte(1, 1),
    raw.of_four_bytes(2, 0),
    raw.of_text(3, "application/x-nothing"),
    raw.of_text(8, TRUTH.topics.manifest),
    b"\x0b\x07",
    raw.user_property() * 200,
)


def packets_of(authority: AnAuthority, number: int, *people: int) -> list[bytes]:
    """An epoch as a broker keeps it, pages first, each with every property that means nothing."""
    epoch = authority.epoch(number, [a_person(n) for n in people])
    kept = [(authority.topics.page(name), sealed) for name, sealed in epoch.pages.items()]
    kept += [(authority.topics.manifest, epoch.payload), (authority.topics.alive, authority.alive(epoch))]
    return [
        raw.publish(topic, body, *LIES, mid=mid, retain=True) for mid, (topic, body) in enumerate(kept, 1)
    ]


def bringing(*packets: bytes):
    """A script: whatever is subscribed to, these come."""

    def script(visit: Visit) -> None:
        visit.greet()
        visit.serve(retained=packets)

    return script


def names_in(folder) -> list[str]:
    with a_store(folder) as store:
        return sorted(each.name for each in store.identities())


def test_nothing_wrong_is_applied_and_the_truth_is_once_the_broker_behaves_again(tmp_path):
    parts = node_parts(tmp_path)
    with a_store(tmp_path) as store:
        be_member(store, TRUTH, parts)
    stranger = AnAuthority("stranger")
    manifest = TRUTH.topics.manifest
    hostile = [
        *packets_of(stranger, 9, 7, 8),
        raw.publish(manifest, b"", mid=50, retain=True),
        raw.publish(manifest, bytes(3_000_000), mid=51, retain=True),
        *[raw.publish(packet_topic, b"junk", mid=52) for packet_topic in (manifest, TRUTH.topics.alive)],
        raw.publish("", packets_of(TRUTH, 3, 1)[-2], raw.of_two_bytes(0x23, 1), mid=53),
    ]
    node, board = Node("home", lambda: parts, engine_of), SyncBoard()
    with RawBroker(bringing(*hostile), bringing(*packets_of(stranger, 10, 9))) as broker:
        section = MqttSink(
            host=broker.host, port=broker.port, protocol="5", retry=Retry(first=0.01, most=0.02)
        )
        exchange = Exchange(section, "porch", lambda: (node,), board, QuickClock(), lambda: 0.0)
        with closing(exchange):
            turned(exchange, lambda: len(broker.visits) == 2 and exchange.is_connected, "the second lie")
            turned(exchange, lambda: len(broker.visits[1].acknowledged) >= 6, "all of it")
            turned(exchange, lambda: state_of(board) is SyncState.UNTRUSTED, "the alarm")
            assert names_in(tmp_path) == []

            broker.scripts.append(bringing(*packets_of(TRUTH, 4, 1, 2)))
            broker.visits[-1].connection.shutdown(2)
            turned(exchange, lambda: state_of(board) is SyncState.IN_STEP, "being in step")

    assert names_in(tmp_path) == ["Person 1", "Person 2"]


def state_of(board: SyncBoard) -> SyncState | None:
    standing = board.standing("home")
    return standing.state if standing else None
