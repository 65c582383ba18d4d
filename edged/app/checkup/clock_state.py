"""Whether the machine knows what time it is."""

import ctypes
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from edged.app.checkup.finding import Finding, doubtful, ill, well
from edged.domain.moment import Clock

_MADE_UTC_MS: Final = 1_704_067_200_000
"""2024-01-01: edged did not exist before, so a clock that says less is wrong."""
_TIME_ERROR: Final = 5
_STA_UNSYNC: Final = 0x40
"""Both of adjtimex(2)."""


class _Timex(ctypes.Structure):
    """The beginning of `struct timex` of adjtimex(2), with room for the rest."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_byte * 512),
    )


def clock_finding(clock: Clock, root: Path) -> Finding:
    """The time, whether it is kept right, and the time zone that schedules are read in."""
    now_ms = clock.moment().utc_ms
    stamp = datetime.fromtimestamp(now_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    is_right = _is_synchronised(root)
    how = {True: "synchronised", False: "not synchronised", None: "synchronisation unknown"}[is_right]
    seen = f"{stamp}, {how}, time zone {_zone(root)}"
    if now_ms < _MADE_UTC_MS:
        return ill("clock", seen, "set the time, or let `systemd-timesyncd` or `chrony` do it")
    if is_right is False:
        return doubtful("clock", seen, "install `systemd-timesyncd` or `chrony`: times in jobs may be wrong")
    return well("clock", seen)


def _is_synchronised(root: Path) -> bool | None:
    """What systemd or the kernel says; None where neither can be asked."""
    if (root / "run/systemd/timesync/synchronized").exists():
        return True
    timex = _Timex()
    try:
        # With no modes it only reads, which everybody may.
        state = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(timex))
    except (OSError, AttributeError):
        return None
    if state < 0:
        return None
    return state != _TIME_ERROR and not timex.status & _STA_UNSYNC


def _zone(root: Path) -> str:
    """The zone's name, where the system tells it."""
    if told := os.environ.get("TZ"):
        return told
    try:
        _, found, name = str((root / "etc/localtime").readlink()).partition("zoneinfo/")
    except OSError:
        return "UTC"
    return name if found else "unknown"
