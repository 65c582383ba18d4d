"""Which plots a report has: values of the report in, plots out."""

import math
from collections.abc import Iterator, Sequence

from edged.evaluation.open_set import OpenSet
from edged.evaluation.svg import Axis, Bars, Line, Plot, Points, deviates_axis, rates_axis, told_rate
from edged.evaluation.verification import Verification

_LEAST = 1e-6
_MOST_CURVES = 6


def verification_plots(found: Verification) -> Iterator[Plot]:
    """ROC, DET and score histograms of all pairs."""
    least = max(min(point.false_accept_rate for point in found.curve), _LEAST)
    hits = [(point.false_accept_rate, point.hit_rate) for point in found.curve]
    low = [(point.false_accept_rate, point.low) for point in found.curve]
    high = [(point.false_accept_rate, point.high) for point in found.curve]
    told = "; ".join(
        f"{told_rate(one.hit_rate.value)} at {told_rate(one.false_accept_rate)}" for one in found.hits
    )
    floor = min(0.5, max(0.0, min(hit for _, hit in hits[len(hits) // 4 :]) - 0.1))
    yield Plot(
        "ROC: hits against false accepts",
        f"Hit rate (TAR) over false-accept rate (FAR): {told}.",
        rates_axis("false-accept rate (FAR) of one comparison", least),
        Axis("hit rate (TAR)", "linear", floor, 1.0, _ticks(floor, 1.0)),
        (Line("hit rate, band of 95 %", hits, (high, low)),),
    )
    edge = max(least, _LEAST)
    yield Plot(
        "DET: misses against false accepts",
        f"Miss rate over false-accept rate on axes of normal deviates; equal at"
        f" {told_rate(found.equal_error_rate.value)}.",
        deviates_axis("false-accept rate (FAR)", edge),
        deviates_axis("miss rate (FRR)", 1e-4),
        (
            Line(
                "miss rate, band of 95 %",
                _missed(hits, edge),
                (_missed(low, edge), _missed(high, edge)),
            ),
        ),
    )
    yield _histograms(found)


def open_set_plots(cells: Sequence[OpenSet]) -> Iterator[Plot]:
    """Misses against false alarms, and reliability of `confidence`."""
    shown = cells[:_MOST_CURVES]
    least = max(min(point.false_positive_rate for cell in shown for point in cell.curve), _LEAST)
    yield Plot(
        "Open set: misses against false alarms",
        "; ".join(
            f"{_name(cell)}: {told_rate(one.miss_rate.value)} missed at {told_rate(one.false_positive_rate)}"
            for cell in shown
            for one in cell.misses
        )
        + ".",
        deviates_axis("false-positive identification rate (FPIR)", least, 0.5),
        deviates_axis("miss rate (FNIR)", 1e-4),
        tuple(_trade(cell, with_band=len(shown) == 1) for cell in shown),
    )
    for cell in shown[:1]:
        told = [(one.said, one.right.value) for one in cell.sureness]
        yield Plot(
            f"Reliability of confidence ({_name(cell)})",
            "; ".join(f"of names said with {x:.0%}, {y:.0%} were right" for x, y in told) + ".",
            Axis("confidence said", "linear", 0.0, 1.0, _ticks(0.0, 1.0)),
            Axis("names that were right", "linear", 0.0, 1.0, _ticks(0.0, 1.0)),
            (
                Line(
                    "seen, band of 95 %",
                    told,
                    (
                        [(one.said, one.right.high) for one in cell.sureness],
                        [(one.said, one.right.low) for one in cell.sureness],
                    ),
                ),
                Line("as it should be", [(0.0, 0.0), (1.0, 1.0)], is_dashed=True),
            ),
        )


def _histograms(found: Verification) -> Plot:
    both = {
        "pairs of one person": found.genuine_histogram,
        "pairs of two people": found.impostor_histogram,
    }
    bars = []
    for name, histogram in both.items():
        total = max(sum(histogram.counts), 1)
        bars.append(
            Bars(
                name,
                histogram.first,
                histogram.width,
                [count / total / histogram.width for count in histogram.counts],
            )
        )
    least = min(bar.first for bar in bars)
    tallest = max((max(bar.heights, default=0.0) for bar in bars), default=1.0) or 1.0
    return Plot(
        "How similarities spread",
        "Density of the cosine of pairs of one person and of two people.",
        Axis("similarity (cosine)", "linear", least, 1.0, _ticks(least, 1.0)),
        Axis("density", "linear", 0.0, tallest, _ticks(0.0, tallest)),
        bars=tuple(bars),
    )


def _trade(cell: OpenSet, *, with_band: bool) -> Line:
    points = [(one.false_positive_rate, _inside(one.miss_rate)) for one in cell.curve]
    low = [(one.false_positive_rate, _inside(one.low)) for one in cell.curve]
    high = [(one.false_positive_rate, _inside(one.high)) for one in cell.curve]
    return Line(_name(cell), points, (high, low) if with_band else None)


def _missed(points: Points, least: float) -> list[tuple[float, float]]:
    return [(x, _inside(1 - y)) for x, y in points if least <= x <= 0.6]  # noqa: PLR2004 (the axis' end)


def _inside(rate: float) -> float:
    """A rate that an axis of normal deviates has a place for."""
    return min(max(rate, 1e-7), 1 - 1e-7)


def _name(cell: OpenSet) -> str:
    return f"N {cell.gallery}, K {cell.pictures}, n {cell.faces}"


def _ticks(low: float, high: float) -> tuple[float, ...]:
    """About five round values between two ends."""
    rough = max(high - low, 1e-9) / 5
    unit = 10.0 ** math.floor(math.log10(rough))
    step = next(unit * factor for factor in (1, 2, 5, 10) if unit * factor >= rough)
    first = -(-low // step)
    return tuple(
        round((first + number) * step, 10)
        for number in range(12)
        if (first + number) * step <= high + step * 1e-6
    )
