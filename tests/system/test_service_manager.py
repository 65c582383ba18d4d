import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from edged.domain.moment import Moment
from edged.system.service_manager import ServiceManager


class Listener:
    """The socket that systemd would listen at."""

    def __init__(self, address: str) -> None:
        self.environ = {"NOTIFY_SOCKET": address.replace("\0", "@")}
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.settimeout(5)
        self._socket.bind(address)

    def heard(self) -> list[str]:
        return self._socket.recv(4096).decode().split("\n")

    def close(self) -> None:
        self._socket.close()


@pytest.fixture(params=["path", "abstract"])
def listener(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Listener]:
    path = str(tmp_path / "notify")
    listener = Listener(path if request.param == "path" else f"\0{path}")
    yield listener
    listener.close()


def test_the_daemon_is_ready_and_says_what_it_does(listener: Listener) -> None:
    assert ServiceManager(listener.environ).ready("2 feeds")
    assert listener.heard() == ["READY=1", "STATUS=2 feeds"]


def test_each_message_is_one_datagram(listener: Listener) -> None:
    manager = ServiceManager(listener.environ)
    assert all([manager.status("front-door is silent"), manager.watchdog(), manager.stopping()])
    assert listener.heard() == ["STATUS=front-door is silent"]
    assert listener.heard() == ["WATCHDOG=1"]
    assert listener.heard() == ["STOPPING=1"]


def test_a_reload_is_never_told_to_be_before_its_request(listener: Listener) -> None:
    # The request came at 5.0009 s, and the clock says 5.000 s: systemd would disregard that.
    ServiceManager(listener.environ).reloading(Moment(steady_ms=5000, utc_ms=1))
    assert listener.heard() == ["RELOADING=1", "MONOTONIC_USEC=5001000"]


def test_a_status_cannot_smuggle_an_assignment(listener: Listener) -> None:
    ServiceManager(listener.environ).status("door\nWATCHDOG=trigger\n\tis silent")
    assert listener.heard() == ["STATUS=door WATCHDOG=trigger is silent"]


def test_a_status_in_any_script_is_told(listener: Listener) -> None:
    ServiceManager(listener.environ).ready("Eingangstür ✓ \ud800")
    assert listener.heard() == ["READY=1", "STATUS=Eingangstür ✓ ?"]


@pytest.mark.parametrize(
    "address", ["", "relative", "vsock:2:1234", "/nowhere/notify", "@nobody-listens-here", "/" * 200]
)
def test_without_a_listener_nothing_happens(address: str) -> None:
    manager = ServiceManager({"NOTIFY_SOCKET": address} if address else {})
    moment = Moment(steady_ms=1, utc_ms=1)
    told = [
        manager.ready("x"),
        manager.status("x"),
        manager.watchdog(),
        manager.reloading(moment),
        manager.stopping(),
    ]
    assert told == [False] * 5


@pytest.mark.parametrize(
    ("environ", "interval_s"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "60000000"}, 30.0),
        ({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": str(os.getpid())}, 30.0),
        ({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "-1"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({"WATCHDOG_USEC": "²"}, None),
    ],
)
def test_the_watchdog_is_fed_twice_in_its_time_if_it_is_ours(
    environ: dict[str, str], interval_s: float | None
) -> None:
    assert ServiceManager(environ).watchdog_interval_s == interval_s


def test_a_start_that_takes_longer_asks_for_patience(listener: Listener) -> None:
    ServiceManager(listener.environ).starting("embedding anew: 3 of 9 faces", 60)
    assert listener.heard() == ["EXTEND_TIMEOUT_USEC=60000000", "STATUS=embedding anew: 3 of 9 faces"]
