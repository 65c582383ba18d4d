"""Two clients of one name at one broker: whoever connects later puts the other out, again and again.

MQTT 5 has a broker say so when it ends a connection. One of 3.1.1 closes it without a word, and so do some of
MQTT 5 (mosquitto 2.0.11); that it does so soon after each time that it let us in is a sign of it, and no
proof. Both ends wait then, and longer each time, so that one of them works for minutes instead of both for
seconds.
"""

from typing import Final

_FIRST_S: Final = 30.0
_MOST_S: Final = 300.0
_FIRST_SUSPECTED_S: Final = 10.0
_MOST_SUSPECTED_S: Final = 60.0
_SOON_MS: Final = 120_000
"""Longer than the other one waits where it suspects the same."""
_SUSPECT_AFTER: Final = 3
OVER_AFTER_MS: Final = 600_000
"""A connection that stood so long, twice the longest wait of the other one, has no rival any more."""


class Rivalry:
    """Counts how often another client has taken our place, and says how long to leave it alone.

    Args:
        name: the client identifier.
        remedy: what to change so that names differ.
    """

    def __init__(self, name: str, remedy: str) -> None:
        self._name = name
        self._remedy = remedy
        self._told = 0
        self._closed_soon = 0

    @property
    def words(self) -> str:
        """What is wrong, or may be, and what to do; empty where nothing points to another client."""
        if self._told:
            return (
                f"another client has connected to the broker as `{self._name}` and takes this one's place"
                f" (session taken over): {self._remedy}"
            )
        if self._closed_soon >= _SUSPECT_AFTER:
            return (
                "the broker closes each connection soon after it is made, without a word: it may be that"
                f" another client is connected as `{self._name}` too: {self._remedy}; the"
                " broker's log says which it is"
            )
        return ""

    def put_out(self, jitter: float) -> float:
        """Note that the broker said so; returns how long to wait, in seconds. `jitter` is from 0 to 1."""
        self._told += 1
        return _wait_s(self._told, _FIRST_S, _MOST_S, jitter)

    def closed(self, stood_ms: int, jitter: float) -> float:
        """Note that the broker closed a connection, without a word, that had stood for so long.

        Returns how long to wait at least, in seconds; 0 where there is nothing to be suspected yet.
        """
        self._closed_soon = self._closed_soon + 1 if stood_ms < _SOON_MS else 0
        if self._closed_soon < _SUSPECT_AFTER:
            return 0.0
        times = self._closed_soon - _SUSPECT_AFTER + 1
        return _wait_s(times, _FIRST_SUSPECTED_S, _MOST_SUSPECTED_S, jitter)

    def ended(self) -> None:
        """Note that a connection ended, or could not be made, for another reason than a rival."""
        self._closed_soon = 0

    def stands(self, for_ms: int) -> None:
        """Note that a connection stands, and has for so long."""
        if for_ms >= OVER_AFTER_MS:
            self._told = self._closed_soon = 0


def _wait_s(times: int, first_s: float, most_s: float, jitter: float) -> float:
    # Never next to nothing, as full jitter would be now and then: whoever waits leaves the other alone.
    return min(most_s, first_s * 2.0 ** min(times - 1, 10)) * (0.5 + 0.5 * jitter)
