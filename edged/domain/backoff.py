"""How long to leave alone what has just failed: at random, up to a bound that doubles.

Full jitter (M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015): many that failed
together do not come back together. Chance is handed in as a number, so that the decision stays a decision.
"""

import math


def full_jitter_s(failures: int, *, first_s: float, most_s: float, jitter: float) -> float:
    """The wait after so many failures in a row.

    Args:
        failures: failures in a row, the last one included, from 1.
        first_s: bound of the wait after the first failure, in seconds.
        most_s: longest wait, in seconds; it wins over `first_s`.
        jitter: a number from 0 to 1, by chance.

    Returns:
        Seconds, from 0 to the bound: `first_s`, twice it, four times it, at most `most_s`.
    """
    if failures < 1:
        raise ValueError("there is no wait before the first failure")
    # Doubling is capped, because a float overflows after some 1,000 failures: half a day at 30 s each.
    doublings = min(failures - 1, 64)
    return jitter * min(most_s, math.ldexp(first_s, doublings))


class Backoff:
    """Counts failures in a row and says how long to wait after each."""

    def __init__(self, *, first_s: float, most_s: float) -> None:
        self._first_s = first_s
        self._most_s = most_s
        self._failures = 0

    @property
    def failures(self) -> int:
        """Failures since the last success."""
        return self._failures

    def failed(self, jitter: float) -> float:
        """Note a failure; returns how long to wait, in seconds. `jitter` is from 0 to 1, by chance."""
        self._failures += 1
        return full_jitter_s(self._failures, first_s=self._first_s, most_s=self._most_s, jitter=jitter)

    def succeeded(self) -> None:
        """Note a success: the next wait is a first one again."""
        self._failures = 0
