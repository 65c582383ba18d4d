"""Plots as inline SVG: colours from the page's style, title and description for those who cannot see."""

import html
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final, Literal

_WIDTH: Final = 560
_HEIGHT: Final = 380
_LEFT: Final = 64
_RIGHT: Final = 16
_TOP: Final = 14
_BOTTOM: Final = 52

Kind = Literal["linear", "log", "normal"]

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis of a plot.

    Attributes:
        label: with its unit.
        kind: linear, logarithmic, or of normal deviates (where normal scores make straight DET curves).
        low, high: its ends.
        ticks: values with a line and a number.
    """

    label: str
    kind: Kind
    low: float
    high: float
    ticks: tuple[float, ...]

    def share(self, value: float) -> float:
        """Where a value lies, 0 at the low end, 1 at the high end; values beyond lie at the ends."""
        inside = min(max(value, self.low), self.high)
        return (self._bent(inside) - self._bent(self.low)) / (self._bent(self.high) - self._bent(self.low))

    def _bent(self, value: float) -> float:
        match self.kind:
            case "linear":
                return value
            case "log":
                return math.log10(value)
            case _:
                return NormalDist().inv_cdf(value)


@dataclass(frozen=True, slots=True)
class Line:
    """A curve with its name and, where known, the band it may lie in (upper edge and lower edge)."""

    name: str
    points: Points
    band: tuple[Points, Points] | None = None
    is_dashed: bool = False


@dataclass(frozen=True, slots=True)
class Bars:
    """Bars from `first` on, each `width` wide; heights in the unit of the y axis."""

    name: str
    first: float
    width: float
    heights: Sequence[float]


@dataclass(frozen=True, slots=True)
class Plot:
    """A plot, all in one value.

    Attributes:
        title: what it shows.
        description: what is to be seen in it, for those who cannot see it.
        x, y: its axes.
        lines, bars: what is drawn.
    """

    title: str
    description: str
    x: Axis
    y: Axis
    lines: tuple[Line, ...] = ()
    bars: tuple[Bars, ...] = ()


def drawn(plot: Plot, number: int) -> str:
    """The SVG element; `number` keeps its ids apart from those of other plots of the page."""
    parts = [
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-labelledby="t{number} d{number}">',
        f'<title id="t{number}">{html.escape(plot.title)}</title>',
        f'<desc id="d{number}">{html.escape(plot.description)}</desc>',
        *_grid(plot),
    ]
    for index, bars in enumerate(plot.bars):
        parts.append(_bars(plot, bars, index))
    for index, line in enumerate(plot.lines):
        if line.band is not None:
            outline = [*line.band[0], *reversed(line.band[1])]
            parts.append(f'<polygon class="band c{index}" points="{_path(plot, outline)}"/>')
        dashed = " dashed" if line.is_dashed else ""
        parts.append(f'<polyline class="line c{index}{dashed}" points="{_path(plot, line.points)}"/>')
    return "\n".join([*parts, "</svg>", _legend(plot)])


def rates_axis(label: str, low: float, high: float = 1.0) -> Axis:
    """A logarithmic axis of rates, from the decade of `low`."""
    first = math.floor(math.log10(low) + 1e-9)
    last = math.ceil(math.log10(high) - 1e-9)
    ticks = tuple(10.0**decade for decade in range(first, last + 1))
    return Axis(label, "log", ticks[0], max(high, ticks[0] * 10), tuple(t for t in ticks if t <= high))


def deviates_axis(label: str, low: float, high: float = 0.6) -> Axis:
    """An axis of normal deviates for rates."""
    usual = (1e-6, 1e-5, 1e-4, 1e-3, 0.01, 0.05, 0.2, 0.5)
    return Axis(label, "normal", low, high, tuple(tick for tick in usual if low <= tick <= high))


def told_rate(value: float) -> str:
    """A rate as people write it: 1e-4 as 0.01 %."""
    return f"{value * 100:.3g} %" if value >= 1e-6 else f"{value:.0e}"  # noqa: PLR2004


def _grid(plot: Plot) -> Iterable[str]:
    bottom, right = _HEIGHT - _BOTTOM, _WIDTH - _RIGHT
    for tick in plot.x.ticks:
        x, _ = _at(plot, tick, plot.y.low)
        yield f'<line class="grid" x1="{x:.1f}" y1="{_TOP}" x2="{x:.1f}" y2="{bottom}"/>'
        yield f'<text class="x" x="{x:.1f}" y="{bottom + 18}">{_tick(plot.x, tick)}</text>'
    for tick in plot.y.ticks:
        _, y = _at(plot, plot.x.low, tick)
        yield f'<line class="grid" x1="{_LEFT}" y1="{y:.1f}" x2="{right}" y2="{y:.1f}"/>'
        yield f'<text class="y" x="{_LEFT - 6}" y="{y + 4:.1f}">{_tick(plot.y, tick)}</text>'
    middle = (_LEFT + right) / 2
    yield f'<text class="label" x="{middle:.0f}" y="{_HEIGHT - 10}">{html.escape(plot.x.label)}</text>'
    height = (_TOP + bottom) / 2
    yield (
        f'<text class="label" transform="translate(14 {height:.0f}) rotate(-90)">'
        f"{html.escape(plot.y.label)}</text>"
    )


def _tick(axis: Axis, value: float) -> str:
    return f"{value:.3g}" if axis.kind == "linear" else told_rate(value)


def _at(plot: Plot, x: float, y: float) -> tuple[float, float]:
    return (
        _LEFT + plot.x.share(x) * (_WIDTH - _LEFT - _RIGHT),
        _HEIGHT - _BOTTOM - plot.y.share(y) * (_HEIGHT - _TOP - _BOTTOM),
    )


def _path(plot: Plot, points: Iterable[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in (_at(plot, *point) for point in points))


def _bars(plot: Plot, bars: Bars, index: int) -> str:
    """One outline around all bars: hundreds of rectangles would draw seams."""
    points = [(bars.first, plot.y.low)]
    for number, height in enumerate(bars.heights):
        left = bars.first + number * bars.width
        points += [(left, height), (left + bars.width, height)]
    points.append((bars.first + len(bars.heights) * bars.width, plot.y.low))
    return f'<polygon class="bars c{index}" points="{_path(plot, points)}"/>'


def _legend(plot: Plot) -> str:
    names: list[tuple[str, str]] = [(f"c{i}", bars.name) for i, bars in enumerate(plot.bars)]
    names += [(f"c{i}{' dashed' if line.is_dashed else ''}", line.name) for i, line in enumerate(plot.lines)]
    items = "".join(f'<li><i class="{kind}"></i>{html.escape(name)}</li>' for kind, name in names)
    return f'<ul class="legend">{items}</ul>'
