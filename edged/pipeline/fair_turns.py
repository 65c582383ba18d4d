"""Whose turn it is at the models: the feeds', or that of requests to recognise pictures."""

from enum import Enum, auto
from typing import Final

LEAST_COST_MS: Final = 0.1
"""A step takes some time, though a clock of whole milliseconds often sees none of it."""


class Turn(Enum):
    """Who is next."""

    FEEDS = auto()
    REQUESTS = auto()


class FairTurns:
    """Shares the models' time between feeds and requests, a step at a time. Belongs to one thread.

    While no frame waits, requests have everything. While frames wait, requests have their share of the time,
    no less and no more, but for one step: each frame that is looked at while requests wait earns them
    share / (1 - share) of the time it took, and they go on until that is spent. So a frame waits for what
    the one before it earned, and for the rest of a step. Nothing is saved up: who has nothing to do earns
    nothing.

    Args:
        share: of requests, above 0 and below 1; may be set at any time.
    """

    def __init__(self, share: float) -> None:
        self.share = share
        self._earned_ms = 0.0
        self._turn: Turn | None = None
        self._is_contended = False

    def next(self, *, frame_waits: bool, request_waits: bool) -> Turn:
        """Who is next; the feeds also where nobody waits: whoever waits for frames is woken by requests."""
        self._is_contended = frame_waits and request_waits
        if not request_waits:
            self._earned_ms = min(self._earned_ms, 0.0)
        if request_waits and (not frame_waits or self._earned_ms > 0):
            self._turn = Turn.REQUESTS
        else:
            self._turn = Turn.FEEDS
        return self._turn

    def took(self, ms: float) -> None:
        """The step that `next` gave took so long."""
        if not self._is_contended:
            return
        cost_ms = max(ms, LEAST_COST_MS)
        if self._turn is Turn.REQUESTS:
            self._earned_ms -= cost_ms
        else:
            self._earned_ms += cost_ms * self.share / (1 - self.share)
