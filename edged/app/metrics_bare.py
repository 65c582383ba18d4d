"""Figures of a node without cameras: its sync, its process, its databases."""

from collections.abc import Callable, Iterable
from pathlib import Path

from prometheus_client.core import Metric

from edged.app.metric_family import gauge
from edged.app.metrics_machine import log_lines, store_bytes, threads
from edged.app.metrics_sync import of_sync
from edged.app.metrics_text import text_of
from edged.domain.sync_state import NamespaceSync
from edged.store.namespace_files import namespaces_in


def bare_exposition(
    data_dir: Path,
    standings: tuple[NamespaceSync, ...],
    withheld: frozenset[str],
    is_alive: Callable[[], bool],
) -> bytes:
    """All figures in Prometheus' text format, under the names that `edged run` has for them."""

    def collect() -> Iterable[Metric]:
        yield from of_sync(standings, withheld)
        yield gauge("progress", "1 while the daemon makes progress", (), [((), float(is_alive()))])
        yield threads()
        yield from log_lines()
        yield store_bytes(data_dir, namespaces_in(data_dir))

    return text_of(collect)
