"""One feed: its source, how its frames are turned and cut, and when it counts as broken."""

from typing import Annotated, Final, Literal

from edged.settings.names import FEED_ID, NAMESPACE, TIME_OF_DAY
from edged.settings.quantities import Duration, Section, key
from edged.settings.sources import Source


class Crop(Section, frozen=True, kw_only=True):
    """The part of the upright frame that is looked at, in fractions of it."""

    x_min: Annotated[float, key("Left edge.", ge=0, lt=1)] = 0.0
    y_min: Annotated[float, key("Upper edge.", ge=0, lt=1)] = 0.0
    x_max: Annotated[float, key("Right edge.", gt=0, le=1)] = 1.0
    y_max: Annotated[float, key("Lower edge.", gt=0, le=1)] = 1.0


class Point(Section, frozen=True, kw_only=True):
    """A corner of a mask, in fractions of the upright frame before it is cropped."""

    x: Annotated[float, key("From the left edge.", ge=0, le=1)]
    y: Annotated[float, key("From the upper edge.", ge=0, le=1)]


class Mask(Section, frozen=True, kw_only=True):
    """A polygon that is blacked out before anything else sees the frame."""

    name: Annotated[str, key("For people.", max_length=64)] = ""
    points: Annotated[tuple[Point, ...], key("Its corners, in order.", min_length=3, max_length=64)]


Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
EVERY_DAY: Final[tuple[Day, ...]] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Hours(Section, frozen=True, kw_only=True):
    """Hours in which the feed is looked at, in the local time of the machine."""

    days: Annotated[tuple[Day, ...], key("Days on which they begin.", min_length=1, max_length=7)] = EVERY_DAY
    begin: Annotated[str, key("When they begin.", **TIME_OF_DAY)]
    end: Annotated[str, key("When they end; not later than `begin`: on the next day.", **TIME_OF_DAY)]


class Retry(Section, frozen=True, kw_only=True):
    """How long to wait before trying again: at random up to a bound that doubles (full jitter)."""

    first: Annotated[Duration, key("Bound of the first wait.", at_least="10 ms", at_most="1 min")] = Duration(
        1
    )
    most: Annotated[Duration, key("Longest wait.", at_least="10 ms", at_most="1 h")] = Duration(30)


class Health(Section, frozen=True, kw_only=True):
    """When pictures that do come are not believed."""

    frozen_after: Annotated[
        Duration | None,
        key(
            "The same picture for so long is a frozen camera; `null` never.", at_least="100 ms", at_most="1 d"
        ),
    ] = Duration(60)
    one_colour_after: Annotated[
        Duration | None,
        key(
            "One flat colour for so long is a covered or broken camera; `null` never.",
            at_least="100 ms",
            at_most="1 d",
        ),
    ] = Duration(60)


class Feed(Section, frozen=True, kw_only=True):
    """One source of frames."""

    id: Annotated[str, key("Name of the feed in topics and jobs.", **FEED_ID)]
    namespace: Annotated[
        str,
        key("Set of people its faces are compared with; nothing crosses from one to another.", **NAMESPACE),
    ] = "home"
    source: Annotated[Source, key("Where its frames come from.")]
    fps: Annotated[
        float,
        key(
            "Frames looked at in a second, at most; others are not even decoded where that can be.",
            gt=0,
            le=60,
        ),
    ] = 10.0
    rotate: Annotated[Literal[0, 90, 180, 270], key("Degrees clockwise that make the picture upright.")] = 0
    crop: Annotated[Crop | None, key("The part that is looked at; without it the whole frame.")] = None
    masks: Annotated[
        tuple[Mask, ...],
        key("Polygons that are blacked out before anything else sees the frame.", max_length=32),
    ] = ()
    schedule: Annotated[
        tuple[Hours, ...],
        key("Hours in which the feed is looked at; an empty list means always.", max_length=32),
    ] = ()
    retry: Annotated[Retry, key("How a broken source is tried again.")] = Retry()
    health: Annotated[Health, key("When pictures that do come are not believed.")] = Health()
