"""How many groups of unknown people are shared."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class GroupCounts:
    """Of one namespace on one node.

    Attributes:
        shared: that this node shares.
        left_out: for which there is no room in what it sends.
        elsewhere: that other nodes share.
    """

    shared: int = 0
    left_out: int = 0
    elsewhere: int = 0
