"""What gives way when the machine is hot, throttled or out of time."""

from typing import Annotated

from edged.settings.quantities import Section, key


class Governor(Section, frozen=True, kw_only=True):
    """Lowers the feeds' frame rate in steps when the machine is hot, throttled or out of time; and back."""

    enabled: Annotated[bool, key("Without it feeds keep their `fps`, come what may.")] = True
    hot_at_c: Annotated[
        float, key("The machine is hot from this temperature on, degrees Celsius.", ge=40, le=120)
    ] = 80.0
    cool_at_c: Annotated[
        float, key("And has cooled down below this one; less than `hot_at_c`.", ge=30, le=119)
    ] = 72.0
    busy_at: Annotated[
        float, key("Share of the models' time from which on there is too much to do.", gt=0.1, le=1)
    ] = 0.9
    min_fps: Annotated[float, key("No feed is slowed below this.", gt=0, le=60)] = 1.0
