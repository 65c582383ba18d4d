"""When somebody counts as there, and as gone."""

from typing import Annotated

from edged.settings.quantities import Duration, Section, key


class Presence(Section, frozen=True, kw_only=True):
    """When somebody counts as there, and as gone. Leaving takes longer than coming, so that nobody flaps."""

    enter_after: Annotated[
        Duration,
        key(
            "Somebody decided is there once seen for so long; a shorter glimpse is told in the job alone.",
            at_least="0 s",
            at_most="1 min",
        ),
    ] = Duration(0)
    leave_after: Annotated[
        Duration,
        key("Somebody unseen for so long has left the feed.", at_least="100 ms", at_most="1 h"),
    ] = Duration(10)
    namespace_leave_after: Annotated[
        Duration,
        key(
            "Somebody unseen at every feed of a namespace for so long has left it; at least `leave_after`.",
            at_least="100 ms",
            at_most="1 d",
        ),
    ] = Duration(60)
