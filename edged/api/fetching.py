"""Why an address that somebody named was not reached, in words that tell nothing of the network behind."""


class FetchError(Exception):
    """Nothing came from an address that a request named.

    Attributes:
        reason: for whoever named it. It holds nothing that was answered but a status, and for an address
            that may not be reached it is the same whatever is there.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
