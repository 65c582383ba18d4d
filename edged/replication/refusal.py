"""Why something that came from another node is not taken."""

from enum import StrEnum
from typing import Final

_LONGEST: Final = 400
"""Characters of an error."""


class Refusal(StrEnum):
    """The reasons. The set is closed: each is counted under its name."""

    MALFORMED = "malformed"
    """It cannot be read: cut off, altered beyond reading, or of a newer edged."""
    OVERSIZED = "oversized"
    """It is larger than its kind may be."""
    UNSIGNED = "unsigned"
    """Its signature is missing, or not that of whoever must have signed it."""
    OTHER_NAMESPACE = "other namespace"
    """It is of another namespace, sent where this one's belongs."""
    OLD = "old"
    """It is of an earlier epoch than the one in force: a replay, or a broker that lost the newer one."""
    SPLIT = "split"
    """It is of the epoch in force and says something else: two nodes write at once."""
    OTHER_MODEL = "other model"
    """It was made with another embedder than this node's."""
    ALTERED = "altered"
    """Its content is not what its hash, or the authority's statement, says."""
    UNLISTED = "unlisted"
    """The manifest in force does not list it."""
    STRANGER = "stranger"
    """It comes from a node that is no member, or is one no more."""
    LATE = "late"
    """Its time is over: an invitation that has run out."""
    TOO_MANY = "too many"
    """A node asks for more than its share: it is to ask again later."""
    NO_KEY = "no key"
    """It is sealed with a key that this node does not have."""


class RefusedError(Exception):
    """Something that came from another node is not taken; nothing was changed.

    Attributes:
        refusal: why.
        words: what is wrong, for the log, in few printable characters. Of a node or a topic, never content.
    """

    def __init__(self, refusal: Refusal, words: str) -> None:
        # It may quote what a stranger sent.
        short = words if len(words) <= _LONGEST else f"{words[:_LONGEST]}…"
        self.words = "".join(sign if sign.isprintable() else "�" for sign in short)
        super().__init__(self.words)
        self.refusal = refusal
