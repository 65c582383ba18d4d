"""How many messages may be sent and not yet acknowledged."""


class Window:
    """Bounds what is in flight.

    A connection that was lost with several messages in flight does not tell which of them did it, if one
    did (a broker may answer a message it cannot bear by closing the connection). So the next connection
    begins with one message, and the number doubles with each acknowledgement: a message that is lost alone
    is the suspect, and the innocent are not blamed with it.
    """

    def __init__(self, most: int) -> None:
        self._configured = most
        self._most = most
        self._size = most

    @property
    def size(self) -> int:
        """Messages that may be in flight now."""
        return min(self._size, self._most)

    def connected(self, receive_maximum: int | None) -> None:
        """A connection stands; the broker may take fewer at once than is configured (MQTT 5)."""
        self._most = min(self._configured, receive_maximum or self._configured)

    def acknowledged(self) -> None:
        """One message was acknowledged."""
        self._size = min(self._size * 2, self._configured)

    def lost(self, in_flight: int) -> bool:
        """The connection was lost with so many in flight; returns whether the one is a suspect."""
        if in_flight == 0:
            return False
        self._size = 1
        return in_flight == 1
