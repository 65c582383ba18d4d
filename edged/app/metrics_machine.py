"""Figures of the machine, the process and its files."""

import platform
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from prometheus_client.core import Metric

from edged import __version__
from edged.app.metric_family import counter, gauge
from edged.store.namespace_files import namespace_path
from edged.store.outbox import FILE_NAME
from edged.system.log import log_counts
from edged.system.thermal import REASONS

if TYPE_CHECKING:
    from edged.app.measured import Measured

_BESIDE: Final = ("", "-wal", "-shm")
"""A database, and what SQLite keeps beside it."""


def machine(measured: "Measured") -> Iterator[Metric]:
    """Heat, the governor, threads, the log."""
    heat, governing = measured.governing.heat, measured.governing
    described = dict(measured.around.models.described)
    described |= {"version": __version__, "python": platform.python_version()}
    yield gauge(
        "build_info",
        "1; versions, and the models by name and the beginning of their hash",
        tuple(sorted(described)),
        [([described[name] for name in sorted(described)], 1)],
    )
    if heat.celsius is not None:
        yield gauge("temperature_celsius", "Of the processor", (), [((), heat.celsius)])
    yield gauge(
        "throttled",
        "1 while the machine slows itself down for this reason",
        ("reason",),
        (((reason,), float(reason in heat.throttled)) for reason in REASONS),
    )
    yield gauge(
        "recogniser_load_ratio",
        "Share of the recogniser's time that is used, 0 to 1",
        (),
        [((), governing.load)],
    )
    if governing.decision is not None:
        yield gauge(
            "governor_heat_steps",
            "Steps that all feeds are slowed by for heat",
            (),
            [((), governing.decision.heat_step)],
        )
        yield gauge(
            "governor_time_steps",
            "Steps that the feed is slowed by for want of time",
            ("feed",),
            (((feed,), steps) for feed, steps in governing.decision.time_steps.items()),
        )
    yield from _process(measured)


def _process(measured: "Measured") -> Iterator[Metric]:
    machinery = measured.machinery
    yield gauge("progress", "1 while the daemon makes progress", (), [((), float(machinery.is_alive))])
    yield gauge(
        "thread_still_seconds",
        "For how long a thread with something to do has not turned",
        ("thread",),
        (((name,), seconds) for name, seconds in machinery.heartbeats.still_s.items()),
    )
    yield counter(
        "watchdog_beats",
        "How often the service manager was told that all goes on",
        (),
        [((), machinery.watchdog_beats)],
    )
    yield threads()
    yield from log_lines()


def threads() -> Metric:
    """How many the process has."""
    return gauge("threads", "Threads of the process", (), [((), _threads())])


def log_lines() -> Iterator[Metric]:
    """What was logged, and what was held back."""
    written = log_counts()
    yield counter(
        "log_lines",
        "Lines written to the log, by level",
        ("level",),
        (((level,), count) for level, count in written.lines.items()),
    )
    yield counter(
        "log_lines_held_back", "Lines that were too much like one just written", (), [((), written.held_back)]
    )


def store_bytes(folder: Path, namespaces: Iterable[str]) -> Metric:
    """Of the databases of a data folder."""
    files = {("outbox", ""): folder / FILE_NAME, ("api", ""): folder / "api.db"}
    for namespace in namespaces:
        files["namespace", namespace] = namespace_path(folder, namespace)
    return gauge(
        "store_bytes",
        "Size of a database on the disk; absent where there is none",
        ("store", "namespace"),
        ((labels, size) for labels, file in files.items() if (size := _size(file)) is not None),
    )


def stores(measured: "Measured") -> Iterator[Metric]:
    """How large the databases are."""
    # Cameras and models stand behind it, which a bare node does without.
    from edged.app.surroundings import served_namespaces  # noqa: PLC0415

    yield store_bytes(measured.around.data_dir, served_namespaces(measured.around.settings))
    yield counter(
        "retention_deleted",
        "What was deleted because it was too old or too much, by kind",
        ("kind",),
        (((kind,), number) for kind, number in measured.around.tally.taken.items()),
    )


def _size(file: Path) -> int | None:
    total = None
    for ending in _BESIDE:
        with suppress(OSError):
            total = (total or 0) + Path(f"{file}{ending}").stat().st_size
    return total


def _threads() -> int:
    """Those of the models' runtime and of OpenCV too, which Python does not know."""
    with suppress(OSError):
        return sum(1 for _ in Path("/proc/self/task").iterdir())
    return 0
