"""Metrics in one line each. The library is imported with it: whoever imports this serves metrics."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from typing import Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

from edged.pipeline.stages import BOUNDS_NS, Durations

Rows = Iterable[tuple[Sequence[str], float]]
"""Values of the labels, and the figure."""

_BOUNDS: Final = [*(f"{ns / 1e9:g}" for ns in BOUNDS_NS), "+Inf"]


def counter(name: str, words: str, labels: Sequence[str], rows: Rows) -> CounterMetricFamily:
    """What only counts up, until the daemon starts anew; the name is without `_total`."""
    family = CounterMetricFamily(f"edged_{name}", words, labels=labels)
    for values, figure in rows:
        family.add_metric(values, figure)
    return family


def gauge(name: str, words: str, labels: Sequence[str], rows: Rows) -> GaugeMetricFamily:
    """What goes up and down."""
    family = GaugeMetricFamily(f"edged_{name}", words, labels=labels)
    for values, figure in rows:
        family.add_metric(values, figure)
    return family


def histogram(name: str, words: str, label: str, durations: Mapping[str, Durations]) -> HistogramMetricFamily:
    """Durations in seconds."""
    family = HistogramMetricFamily(f"edged_{name}", words, labels=[label])
    for value, held in durations.items():
        buckets = list(zip(_BOUNDS, map(float, accumulate(held.counts)), strict=True))
        family.add_metric([value], buckets, held.sum_s)
    return family
