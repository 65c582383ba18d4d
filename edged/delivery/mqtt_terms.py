"""On which terms a broker lets a client in, as its CONNACK says (MQTT 5 alone)."""

from dataclasses import dataclass
from typing import Final

LEAST_PACKET_BYTES: Final = 4_096
"""With less, what says who is a member, and the subscriptions to eight pages, would not go through."""
_ELSE: Final = "allow it there, or name the sink of another broker in `sync.broker`"


@dataclass(frozen=True, slots=True)
class BrokerTerms:
    """What a broker lets a client do. A broker that says nothing, and every one of 3.1.1, lets it do all.

    Attributes:
        receive_maximum: messages that may be under way at once; None: not said.
        packet_maximum: bytes of the largest packet that it takes; None: not said.
        most_qos: 0, 1 or 2.
        keeps_retained: whether it keeps retained messages.
        takes_wildcards: whether filters may have wildcards.
    """

    receive_maximum: int | None = None
    packet_maximum: int | None = None
    most_qos: int = 2
    keeps_retained: bool = True
    takes_wildcards: bool = True

    def against_sync(self, *, with_wildcards: bool) -> str:
        """Why this broker cannot carry the sync, and what to do; empty where it can.

        `with_wildcards`: of a node that reads what many others say.
        """
        if not self.keeps_retained:
            why = "it keeps no retained messages (Retain Available 0)"
        elif self.most_qos < 1:
            why = "it takes nothing that is to be acknowledged (Maximum QoS 0)"
        elif self.packet_maximum is not None and self.packet_maximum < LEAST_PACKET_BYTES:
            why = (
                f"it takes no packet of more than {self.packet_maximum} bytes (Maximum Packet Size), and"
                f" {LEAST_PACKET_BYTES} are needed at least"
            )
        elif with_wildcards and not self.takes_wildcards:
            why = (
                "it lets nobody read by filters with wildcards (Wildcard Subscription Available 0), which the"
                " authority and nodes that share groups need"
            )
        else:
            return ""
        return f"this broker cannot carry the sync: {why}; {_ELSE}"
