"""What systemd is told of the daemon's life: sd_notify(3) without its library."""

import os
import socket
from collections.abc import Mapping
from typing import Final

from edged.domain.moment import Moment

_PATIENCE_S: Final = 1.0
"""How long a full socket may hold up whoever tells something."""


class ServiceManager:
    """Tells the service manager how the daemon is doing; without one, does nothing.

    Nothing here raises: a daemon whose service manager does not listen still has its work to do. Every
    call says whether the message went out.

    Args:
        environ: the environment; systemd sets `NOTIFY_SOCKET`, `WATCHDOG_USEC` and `WATCHDOG_PID` in it.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        address = environ.get("NOTIFY_SOCKET", "")
        # A leading @ stands for the null byte of Linux's abstract names.
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        self._watchdog_usec = _watchdog_usec(environ)

    @property
    def watchdog_interval_s(self) -> float | None:
        """How often `watchdog` is to be called: half of what the manager waits; None when it does not."""
        return None if self._watchdog_usec is None else self._watchdog_usec / 2_000_000

    def ready(self, status: str = "") -> bool:
        """The daemon works: at its start, and after each reload."""
        return self._tell("READY=1", *_status(status))

    def starting(self, status: str, patience_s: float) -> bool:
        """The start takes longer: wait so long from now on before it counts as failed."""
        return self._tell(f"EXTEND_TIMEOUT_USEC={round(patience_s * 1_000_000)}", *_status(status))

    def status(self, text: str) -> bool:
        """One line for people, shown by `systemctl status`."""
        return self._tell(*_status(text))

    def watchdog(self) -> bool:
        """The daemon makes progress."""
        return self._tell("WATCHDOG=1")

    def reloading(self, moment: Moment) -> bool:
        """The daemon reads its configuration again; `ready` is to follow."""
        # systemd disregards a time before its own request. Ours is cut to the millisecond, so round it up.
        return self._tell("RELOADING=1", f"MONOTONIC_USEC={(moment.steady_ms + 1) * 1000}")

    def stopping(self, status: str = "") -> bool:
        """The daemon ends."""
        return self._tell("STOPPING=1", *_status(status))

    def _tell(self, *assignments: str) -> bool:
        if not self._address.startswith(("/", "\0")):
            return False
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
                sender.settimeout(_PATIENCE_S)
                sender.sendto("\n".join(assignments).encode(errors="replace"), self._address)
        except (OSError, ValueError):
            return False
        return True


def _status(text: str) -> tuple[str, ...]:
    """The assignment, on one line: a line break would begin the next assignment."""
    return (f"STATUS={' '.join(text.split())}",) if text else ()


def _watchdog_usec(environ: Mapping[str, str]) -> int | None:
    """The watchdog's time, unless it is meant for another process that we inherited it from."""
    usec, pid = environ.get("WATCHDOG_USEC", ""), environ.get("WATCHDOG_PID", "")
    if not (usec.isascii() and usec.isdigit()) or int(usec) == 0:
        return None
    return int(usec) if pid in ("", str(os.getpid())) else None
