"""How much of one node's asking is dealt with: no member may keep the authority from the others."""

from typing import Final

BURST: Final = 256
"""Of one node, at once."""
PER_S: Final = 64
"""Of one node, all the while: more than a member asks for that has thousands of people to propose, and a
third of what a small machine can deal with."""


class Budget:
    """A bucket of tokens for each node; only members are to be counted, since all are kept.

    Times are steady milliseconds.
    """

    def __init__(self, burst: int = BURST, per_s: int = PER_S) -> None:
        self._burst = burst
        self._per_s = per_s
        self._left: dict[str, tuple[float, int]] = {}

    def takes(self, node: str, steady_ms: int) -> bool:
        """Count one more of a node; whether it is within what the node may have."""
        left, at_ms = self._left.get(node, (float(self._burst), steady_ms))
        left = min(float(self._burst), left + (steady_ms - at_ms) * self._per_s / 1000)
        is_within = left >= 1
        self._left[node] = (left - 1 if is_within else left, steady_ms)
        return is_within
