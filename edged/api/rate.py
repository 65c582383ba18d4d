"""How often an address may try."""

from collections import OrderedDict
from typing import Final

_MOST_ADDRESSES: Final = 4096
_PARTS: Final = 60_000
"""Of an attempt: as many as a minute has milliseconds, so that a bucket fills by whole parts."""


class Attempts:
    """A bucket of attempts for each address, that fills again evenly; at first it is full.

    An attempt is taken before it is known how it ends, so that many at once do not all slip through, and
    given back where it was a good one. Not for several threads at once.

    Args:
        a_minute: attempts in a minute, and at once.
        most_addresses: that are remembered; the longest silent is forgotten first.
    """

    def __init__(self, a_minute: int, most_addresses: int = _MOST_ADDRESSES) -> None:
        self._a_minute = a_minute
        self._most = a_minute * _PARTS
        self._most_addresses = most_addresses
        self._buckets: OrderedDict[str, tuple[int, int]] = OrderedDict()
        """Parts of attempts that are left of each address, and when; in the order of their last attempts."""

    def take(self, address: str, now_ms: int) -> int:
        """Take an attempt: 0, or after how many seconds there will be one again, at least 1."""
        left = self._left(address, now_ms)
        if left < _PARTS:
            return -((left - _PARTS) // (self._a_minute * 1000))
        self._buckets[address] = (left - _PARTS, now_ms)
        self._buckets.move_to_end(address)
        if len(self._buckets) > self._most_addresses:
            self._buckets.popitem(last=False)
        return 0

    def give_back(self, address: str, now_ms: int) -> None:
        """An attempt that was none after all."""
        if address in self._buckets:
            self._buckets[address] = (min(self._left(address, now_ms) + _PARTS, self._most), now_ms)

    def _left(self, address: str, now_ms: int) -> int:
        left, at_ms = self._buckets.get(address, (self._most, now_ms))
        return min(left + max(0, now_ms - at_ms) * self._a_minute, self._most)
