"""The one file that asks the machine for the time."""

import time
from datetime import UTC, datetime

from edged.domain.moment import Moment


class SystemClock:
    """The machine's clocks: the steady one for durations, the wall's for the wire."""

    def moment(self) -> Moment:
        """The present instant."""
        return Moment(steady_ms=time.monotonic_ns() // 1_000_000, utc_ms=time.time_ns() // 1_000_000)


def local_time(utc_ms: int) -> datetime:
    """The date and time at the machine's place, in the time zone that is set there now."""
    # Without this a process keeps, for as long as it lives, the zone that was set when it started.
    time.tzset()
    return datetime.fromtimestamp(utc_ms / 1000, UTC).astimezone()


class SystemStopwatch:
    """The machine's finest clocks, for measuring how long something takes."""

    def wall_ns(self) -> int:
        """Nanoseconds since some fixed start."""
        return time.perf_counter_ns()

    def cpu_ns(self) -> int:
        """Nanoseconds that this process, all its threads together, has had a processor."""
        return time.process_time_ns()
