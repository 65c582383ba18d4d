"""The manifest in force where it does not come: some clusters keep it only on the node that took it."""

from typing import Final

from edged.domain.moment import Moment

_LATE_MS: Final = 5_000
"""It was asked for when it was missed first, and did not come for so long: the authority is asked for it."""


class AbsentManifest:
    """What one member knows of by its authority's word alone."""

    def __init__(self) -> None:
        self._name = ""
        self._since_ms = 0
        self._came = ""

    def came(self, name: str) -> None:
        """A manifest came, whether it can be taken or not."""
        self._came = name
        if name == self._name:
            self._name = ""

    def settle(self) -> None:
        """A manifest was taken: it is later than what was missed."""
        self._name = ""

    def missed(self, name: str, now: Moment) -> None:
        """The authority says that this one is in force, and it is neither here nor on its way."""
        if name not in (self._name, self._came):
            self._name, self._since_ms = name, now.steady_ms

    def connected(self, now: Moment) -> None:
        """What the broker keeps comes anew."""
        self._since_ms = now.steady_ms

    def late(self, now: Moment) -> tuple[str, ...]:
        """Its name, where it does not come; else nothing."""
        is_late = self._name != "" and now.steady_ms - self._since_ms >= _LATE_MS
        return (self._name,) if is_late else ()
