"""The one file that asks the machine for the time."""

import time

from edged.domain.moment import Moment


class SystemClock:
    """The machine's clocks: the steady one for durations, the wall's for the wire."""

    def moment(self) -> Moment:
        """The present instant."""
        return Moment(steady_ms=time.monotonic_ns() // 1_000_000, utc_ms=time.time_ns() // 1_000_000)
