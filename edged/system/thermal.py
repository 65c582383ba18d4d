"""How hot the machine is, and whether it slows itself down: what the kernel says below /sys."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

SYS: Final = Path("/sys")

TOO_HOT: Final = "too hot"
UNDER_VOLTAGE: Final = "under-voltage"
THROTTLED: Final = "throttled"
CAPPED: Final = "frequency capped"
REASONS: Final = (TOO_HOT, UNDER_VOLTAGE, THROTTLED, CAPPED)

_OF_THE_PROCESSOR: Final = re.compile(
    r"(^|[^a-z])(t?cpu|soc|tj|cluster|package|(big|little)core|x86_pkg)|bcm2835", re.IGNORECASE
)
"""How kernels call the processor's zones: `cpu-thermal`, `x86_pkg_temp`, `CPU-therm`, `bigcore0-thermal`."""
_OF_OTHERS: Final = re.compile(
    r"pmic|int34|wifi|iwl|bat|charger|nvme|modem|gpu|pch|fan|ambient|skin", re.IGNORECASE
)
"""Zones that never tell the processor's; some say 100 degrees, come what may."""
_SENSORS: Final = frozenset({"coretemp", "k10temp", "zenpower", "cpu_thermal", "soc_thermal"})
"""Drivers below class/hwmon that do."""

_BITS: Final = ((0, UNDER_VOLTAGE), (3, TOO_HOT), (2, THROTTLED), (1, CAPPED))
"""What holds now, of `get_throttled` (Raspberry Pi documentation, vcgencmd); 16 and up are of the past."""
_LEAST_C: Final = -40.0
_MOST_C: Final = 150.0


@dataclass(frozen=True, slots=True)
class Heat:
    """What the machine says of its own heat.

    Attributes:
        celsius: of the hottest sensor that tells the processor's; None where there is none.
        throttled: why the machine slows itself down now: `too hot`, `under-voltage`, `throttled`, `frequency
            capped`; else empty.
    """

    celsius: float | None
    throttled: tuple[str, ...] = ()


def read_heat(sys: Path = SYS) -> Heat:
    """Read the sensors once; never raises: a machine without any has no temperature."""
    return Thermometer(sys).read()


class Thermometer:
    """Reads the sensors again and again: it looks for them once. Never raises."""

    def __init__(self, sys: Path = SYS) -> None:
        self._sys = sys
        self._temperatures: list[Path] | None = None
        self._firmware: list[Path] = []
        self._voltage: list[Path] = []
        self._cooling: list[Path] = []
        self._counts: list[Path] = []
        self._counted: int | None = None

    def read(self) -> Heat:
        """How it is now. What counts throttling (x86) tells of the time since the reading before."""
        if self._temperatures is None:
            self._temperatures = self._look_around()
        celsius = [found for file in self._temperatures if (found := _celsius(file)) is not None]
        reasons = [word for file in self._firmware for word in _words_of(_number(file, 16) or 0)]
        if not self._firmware and any(_number(file) for file in self._voltage):
            reasons.append(UNDER_VOLTAGE)
        if any(_number(file) for file in self._cooling) or self._has_throttled():
            reasons.append(TOO_HOT)
        return Heat(max(celsius, default=None), tuple(dict.fromkeys(reasons)))

    def _look_around(self) -> list[Path]:
        """Find all there is; the files that tell the processor's temperature."""
        platform = self._sys / "devices" / "platform"
        self._firmware = sorted(platform.glob("soc*/soc*:firmware/get_throttled"))
        chips = {chip: _text(chip / "name") for chip in self._in_class("hwmon", "hwmon*")}
        self._voltage = [chip / "in0_lcrit_alarm" for chip, name in chips.items() if name == "rpi_volt"]
        # The kernel's own governor slows the processor by these; a limit that a person set is not among them.
        self._cooling = [
            device / "cur_state"
            for device in self._in_class("thermal", "cooling_device*")
            if "cpufreq" in _text(device / "type") or _text(device / "type") == "Processor"
        ]
        first = self._sys / "devices" / "system" / "cpu" / "cpu0" / "thermal_throttle"
        self._counts = [first / "package_throttle_count", first / "core_throttle_count"]
        zones = {zone / "temp": _text(zone / "type") for zone in self._in_class("thermal", "thermal_zone*")}
        sensors = [
            file for chip, name in chips.items() if name in _SENSORS for file in chip.glob("temp*_input")
        ]
        of_processor = [file for file, name in zones.items() if _OF_THE_PROCESSOR.search(name)]
        others = [file for file, name in zones.items() if not _OF_OTHERS.search(name)]
        for files in (of_processor, sensors, others):
            if any(_celsius(file) is not None for file in files):
                return files
        return []

    def _in_class(self, kind: str, pattern: str) -> list[Path]:
        return sorted((self._sys / "class" / kind).glob(pattern))

    def _has_throttled(self) -> bool:
        found = [count for file in self._counts if (count := _number(file)) is not None]
        before, self._counted = self._counted, sum(found)
        return before is not None and self._counted > before


def _words_of(bits: int) -> list[str]:
    return [word for bit, word in _BITS if bits >> bit & 1]


def _text(file: Path) -> str:
    try:
        return file.read_text(errors="replace").strip()
    except OSError:
        return ""


def _number(file: Path, base: int = 10) -> int | None:
    try:
        return int(_text(file), base)
    except ValueError:
        return None


def _celsius(file: Path) -> float | None:
    thousandths = _number(file)
    if thousandths is None:
        return None
    celsius = thousandths / 1000
    return celsius if _LEAST_C < celsius < _MOST_C else None
