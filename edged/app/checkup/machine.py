"""The machine and what is installed on it, as far as it decides how edged runs."""

import os
import platform
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from edged.app.checkup.clock_state import clock_finding
from edged.app.checkup.finding import Check, Finding, doubtful, ill, well
from edged.app.checkup.software import edged_finding, libraries_finding, python_finding
from edged.domain.moment import Clock
from edged.system.thermal import read_heat

_FEATURES: Final = (
    *("neon", "asimd", "asimdhp", "asimddp", "i8mm", "sve", "sve2"),
    *("sse4_1", "sse4_2", "avx", "avx2", "fma", "avx512f", "avx512_vnni", "avx_vnni"),
)
"""What XNNPACK has kernels for, as /proc/cpuinfo calls them; `asimddp` is ARM's dot product."""
_VECTORS: Final = frozenset({"neon", "asimd", "avx2"})
_LITTLE_MEMORY_BYTES: Final = 300_000_000
_HOT_CELSIUS: Final = 80.0
_USUAL_PAGE_BYTES: Final = 4096


def checks(clock: Clock, root: Path = Path("/")) -> Iterator[tuple[str, Check]]:
    """The checks by name; `root` is where /proc, /sys and /etc are found."""
    yield "edged", lambda: [edged_finding()]
    yield "Python", lambda: [python_finding()]
    yield "libraries", lambda: [libraries_finding()]
    yield "machine", lambda: [_machine(root)]
    yield "processor", lambda: [_processor(root)]
    yield "memory", lambda: [_memory(root)]
    yield "clock", lambda: [clock_finding(clock, root)]
    yield "heat", lambda: [_heat(root)]


def text_of(path: Path) -> str:
    """The text of a file without zeros and blanks around it; empty where it cannot be read."""
    try:
        return path.read_bytes().decode("utf-8", "replace").strip("\0 \n")
    except OSError:
        return ""


def _machine(root: Path) -> Finding:
    model = (
        text_of(root / "proc/device-tree/model")
        or text_of(root / "sys/class/dmi/id/product_name")
        or "model unknown"
    )
    release = dict(
        line.split("=", 1) for line in text_of(root / "etc/os-release").splitlines() if "=" in line
    )
    distribution = release.get("PRETTY_NAME", "distribution unknown").strip('"')
    kernel = text_of(root / "proc/sys/kernel/osrelease") or platform.release()
    inside = _inside(root)
    seen = f"{model}, {platform.machine()}, {distribution}, kernel {kernel}{', ' if inside else ''}{inside}"
    if platform.machine().startswith("armv") or sys.maxsize < 2**32:
        return doubtful(
            "machine", f"{seen}, 32 bits", "no TFLite runtime is made for 32 bits; install a system of 64"
        )
    return well("machine", seen)


def _inside(root: Path) -> str:
    """What the system runs in, where that can be told."""
    container = text_of(root / "run/systemd/container")
    if not container and (root / ".dockerenv").exists():
        container = "docker"
    if not container and (root / "run/.containerenv").exists():
        container = "podman"
    if container:
        return f"in a container ({container})"
    flags = text_of(root / "proc/cpuinfo").partition("flags")[2].partition("\n")[0].split()
    return "in a virtual machine" if "hypervisor" in flags else ""


def _processor(root: Path) -> Finding:
    lines = [
        (key.strip(), value.strip())
        for key, _, value in (
            line.partition(":") for line in text_of(root / "proc/cpuinfo").splitlines() if ":" in line
        )
    ]
    known = dict(reversed(lines))
    flags = set(f"{known.get('flags', '')} {known.get('Features', '')}".split())
    name = known.get("model name") or known.get("Model") or f"CPU part {known.get('CPU part', 'unknown')}"
    usable = len(os.sched_getaffinity(0))
    having = [feature for feature in _FEATURES if feature in flags]
    seen = f"{name}, {usable} of {os.cpu_count()} cores, {' '.join(having) or 'no vector features known'}"
    if flags and not flags & _VECTORS:
        return doubtful(
            "processor", seen, "without AVX2 or NEON the models are slow; see `edged models bench`"
        )
    return well("processor", seen)


def _memory(root: Path) -> Finding:
    told = dict(
        line.split(":", 1) for line in text_of(root / "proc/meminfo").splitlines() if line.count(":") == 1
    )
    total, available = (int(told.get(key, "0").split()[0]) * 1024 for key in ("MemTotal", "MemAvailable"))
    page = os.sysconf("SC_PAGE_SIZE")
    pages = "" if page == _USUAL_PAGE_BYTES else f", pages of {page} bytes"
    limit = text_of(root / "sys/fs/cgroup/memory.max")
    bound = f", limited to {int(limit) // 1_000_000} MB" if limit.isdecimal() else ""
    seen = f"{available // 1_000_000} of {total // 1_000_000} MB available{bound}{pages}"
    if total and available < _LITTLE_MEMORY_BYTES:
        return doubtful("memory", seen, "the daemon needs about 150 MB; end what else takes memory")
    return well("memory", seen)


def _heat(root: Path) -> Finding:
    heat = read_heat(root / "sys")
    governor = text_of(root / "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
    frequency = text_of(root / "sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq")
    parts = ["no sensor" if heat.celsius is None else f"{heat.celsius:.0f} degrees Celsius"]
    parts += [f"governor {governor}"] if governor else []
    parts += [f"{int(frequency) // 1000} MHz"] if frequency.isdecimal() else []
    parts.append("load " + " ".join(f"{load:.1f}" for load in os.getloadavg()))
    seen = ", ".join(parts)
    if heat.throttled:
        words = " and ".join(heat.throttled)
        return ill(
            "heat", f"{seen}; the machine slows itself down: {words}", "see to cooling and the power supply"
        )
    if heat.celsius is not None and heat.celsius >= _HOT_CELSIUS:
        return doubtful("heat", seen, "see to cooling: above about 80 degrees machines slow down")
    return well("heat", seen)
