import socket
import threading
from typing import Any

import pytest

from bench.mosquitto import eventually, free_port
from bench.raw_server import RawServer, saying, silent
from edged.api.fetching import FetchError
from edged.http.guard import FORBIDDEN, Guard
from edged.system.clock import SystemClock

CLOCK = SystemClock()


def answers(*rounds: list[str]) -> Any:
    """A resolver that says the first of the lists when first asked, the second then, and so on."""
    left = list(rounds)

    def resolve(_host: str, port: int, **_options: object) -> list[tuple[Any, ...]]:
        addresses = left.pop(0) if len(left) > 1 else left[0]
        return [
            (
                socket.AF_INET6 if ":" in address else socket.AF_INET,
                socket.SOCK_STREAM,
                6,
                "",
                (address, port),
            )
            for address in addresses
        ]

    return resolve


def test_a_name_is_judged_by_all_its_addresses_and_the_forbidden_are_passed_over():
    guard = Guard((), CLOCK, resolve=answers(["127.0.0.1", "192.0.2.1", "1.1.1.1", "::1", "2606:4700::1"]))
    assert guard.addresses("h", 80) == ("1.1.1.1", "2606:4700::1")


def test_a_name_with_forbidden_addresses_only_is_refused():
    guard = Guard((), CLOCK, resolve=answers(["127.0.0.1", "169.254.169.254", "fe80::1%eth0"]))
    with pytest.raises(FetchError) as caught:
        guard.connect("metadata.example", 80, 5, tls=False)
    assert caught.value.reason == FORBIDDEN


def test_a_name_that_changes_its_address_after_it_was_checked_gains_nothing():
    # The first answer is allowed, and every later one would lead to a server that answers.
    with RawServer(saying(b"secret")) as server:
        guard = Guard(("127.0.0.2",), CLOCK, resolve=answers(["127.0.0.2"], ["127.0.0.1"]))
        with pytest.raises(FetchError):
            guard.connect("rebinding.example", server.port, 5, tls=False)
        with pytest.raises(FetchError) as caught:
            guard.connect("rebinding.example", server.port, 5, tls=False)
    assert caught.value.reason == FORBIDDEN
    assert server.connections == 0


def test_the_next_address_is_tried_where_one_does_not_answer():
    with RawServer(silent) as server:
        guard = Guard(("127.0.0.0/8",), CLOCK, resolve=answers(["127.0.0.9", "127.0.0.1"]))
        with guard.connect("h", server.port, 5, tls=False) as connection:
            assert connection.getpeername() == ("127.0.0.1", server.port)


def test_nobody_there_is_told_without_details():
    guard = Guard(("127.0.0.0/8",), CLOCK)
    with pytest.raises(FetchError) as caught:
        guard.connect("127.0.0.1", free_port(), 5, tls=False)
    assert caught.value.reason == "no connection to the server could be made"


def test_a_name_that_does_not_exist_is_told_so():
    with pytest.raises(FetchError) as caught:
        Guard((), CLOCK).addresses("nowhere.invalid", 80)
    assert caught.value.reason == "the name of the server cannot be resolved"


def test_a_resolver_that_hangs_is_left_in_time_and_makes_no_threads_without_end():
    gate = threading.Event()
    begun: list[str] = []

    def hang(host: str, *_: object, **__: object) -> list[tuple[Any, ...]]:
        begun.append(host)
        gate.wait(60)
        return []

    guard = Guard((), CLOCK, resolve=hang)
    reasons = []
    for number in range(10):
        with pytest.raises(FetchError) as caught:
            guard.addresses(f"h{number}", 80, 0.01)
        reasons.append(caught.value.reason)
    gate.set()
    assert (
        reasons
        == ["the name of the server cannot be resolved"] * 8
        + ["too many names are being resolved at the moment"] * 2
    )
    eventually(lambda: len(begun) == 8, "the resolvers to have begun")


def test_a_stop_ends_a_resolution_at_once():
    gate = threading.Event()
    begun = threading.Event()

    def hang(*_: object, **__: object) -> list[tuple[Any, ...]]:
        begun.set()
        gate.wait(60)
        return []

    guard = Guard((), CLOCK, resolve=hang)
    reasons: list[str] = []

    def connect() -> None:
        with pytest.raises(FetchError) as caught:
            guard.connect("h", 80, 60, tls=False)
        reasons.append(caught.value.reason)

    thread = threading.Thread(target=connect)
    thread.start()
    assert begun.wait(20)
    guard.abort()
    thread.join(3)
    gate.set()
    assert reasons == ["the daemon is stopping"]


def test_a_stop_ends_a_connection_that_is_being_made():
    # A listener whose queue is full answers nothing at all.
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(0)
    where = listener.getsockname()
    fillers = []
    for _ in range(8):
        filler = socket.socket()
        filler.setblocking(False)
        filler.connect_ex(where)
        fillers.append(filler)
    guard = Guard(("127.0.0.1",), CLOCK)
    reasons: list[str] = []

    def connect() -> None:
        with pytest.raises(FetchError) as caught:
            guard.connect("127.0.0.1", where[1], 60, tls=False)
        reasons.append(caught.value.reason)

    thread = threading.Thread(target=connect)
    thread.start()
    eventually(lambda: guard._connecting, "the connection to be under way")
    guard.abort()
    thread.join(20)
    for each in (*fillers, listener):
        each.close()
    assert reasons == ["the daemon is stopping"]
