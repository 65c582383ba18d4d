"""Figures for Prometheus: read from the parts' own counters when somebody asks, and kept nowhere else."""

from collections.abc import Iterable

from edged.app.measured import Measured


def exposition(measured: Measured) -> bytes:
    """All figures in Prometheus' text format. Any thread may ask; no name and no id of a person is in it."""
    # A MiB or two and some hundredths of a second, which only a daemon that is asked needs.
    from prometheus_client.core import Metric  # noqa: PLC0415

    from edged.app.metrics_delivery import delivery, queues, requests  # noqa: PLC0415
    from edged.app.metrics_machine import machine, stores  # noqa: PLC0415
    from edged.app.metrics_recognition import feeds, recognition  # noqa: PLC0415
    from edged.app.metrics_sync import sync  # noqa: PLC0415
    from edged.app.metrics_text import text_of  # noqa: PLC0415

    now = measured.around.clock.moment()

    def collect() -> Iterable[Metric]:
        yield from feeds(measured, now)
        yield from recognition(measured)
        yield from queues(measured, now)
        yield from delivery(measured, now)
        yield from requests(measured)
        yield from machine(measured)
        yield from stores(measured)
        yield from sync(measured)

    return text_of(collect)
