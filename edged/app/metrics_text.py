"""Prometheus' text of figures that are read when somebody asks."""

from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import Metric


class _Figures:
    """What the library asks."""

    def __init__(self, collect: Callable[[], Iterable[Metric]]) -> None:
        self.collect = collect

    def describe(self) -> Iterable[Metric]:
        return ()


def text_of(collect: Callable[[], Iterable[Metric]]) -> bytes:
    """The figures, and those of this process, in the text format."""
    registry = CollectorRegistry()
    registry.register(_Figures(collect))
    ProcessCollector(registry=registry)
    return generate_latest(registry)
