"""How hot the machine is, and whether it slows itself down."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

SYS: Final = Path("/sys")


@dataclass(frozen=True, slots=True)
class Heat:
    """What the machine says of its own heat.

    Attributes:
        celsius: of the hottest sensor that tells the processor's; None where there is none.
        throttled: why the machine slows itself down now, `too hot`, `under-voltage`; else empty.
    """

    celsius: float | None
    throttled: tuple[str, ...] = ()


def read_heat(sys: Path = SYS) -> Heat:
    """Read the sensors; never raises: a machine without any has no temperature."""
    temperatures = [
        celsius
        for zone in sorted((sys / "class" / "thermal").glob("thermal_zone*"))
        if (celsius := _celsius(zone / "temp")) is not None
    ]
    return Heat(max(temperatures, default=None))


def _celsius(file: Path) -> float | None:
    try:
        return int(file.read_text().strip()) / 1000
    except (OSError, ValueError):
        return None
