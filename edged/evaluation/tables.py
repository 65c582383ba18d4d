"""The figures of a report as tables of words, for the terminal and for the page alike."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from edged.evaluation.open_set import OpenSet
from edged.evaluation.rate import Rate
from edged.evaluation.report import Evaluation, PairProtocol, Pictures, Stage
from edged.evaluation.track_findings import Clips, Seen
from edged.evaluation.verification import Verification


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under a heading; `notes` are said below it."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()


def tables_of(found: Evaluation) -> Iterator[Table]:
    """Every table, the most important first."""
    if found.protocol is not None:
        yield _accuracy(found.protocol)
        for verification in found.protocol.verifications:
            yield _verification(verification)
    for verification in found.verifications:
        yield _verification(verification)
    if found.open_set:
        yield _misses(found.open_set)
        yield _levels(found.open_set)
    if found.clips is not None:
        yield _clips(found.clips)
        if found.clips.wrong or found.clips.missed:
            yield _listed([*found.clips.wrong, *found.clips.missed])
    if found.pictures is not None:
        yield _pictures(found.pictures)
    if found.stages:
        yield _stages(found.stages)


def text_of(found: Evaluation) -> str:
    """The report for a terminal."""
    parts = [f"{found.dataset}, embedder {found.embedder[:12]}, edged {found.edged}"]
    parts += [
        "\n".join(["", table.title, *_lines([table.header, *table.rows]), *table.notes])
        for table in tables_of(found)
    ]
    if found.notes:
        parts.append("\n".join(["", "Notes", *(f"- {note}" for note in found.notes)]))
    return "\n".join(parts)


def percent(value: float) -> str:
    """A share in per cent, three digits, never rounded up to 100 or down to 0."""
    if value in (0, 1):
        return f"{value * 100:.0f} %"
    digits = 2
    while digits < 6 and float(f"{value * 100:.{digits}f}") in (0, 100):  # noqa: PLR2004
        digits += 1
    return f"{value * 100:.{digits}f} %"


def told(rate: Rate) -> str:
    """A rate with its interval: `93.10 % (91.20 to 94.80)`."""
    low, high = (percent(end).removesuffix(" %") for end in (rate.low, rate.high))
    return f"{percent(rate.value)} ({low} to {high})" if rate.trials else "-"


def one_in(rate: float) -> str:
    """A rate as the configuration writes it: `1 in 10000`."""
    return f"1 in {round(1 / rate)}" if rate > 0 else "never"


def _accuracy(found: PairProtocol) -> Table:
    rows = tuple(
        (
            one.counted,
            f"{one.pairs:,}",
            f"{percent(one.accuracy.value)} ± {one.standard_error * 100:.2f}",
            f"{one.accuracy.low * 100:.2f} to {one.accuracy.high * 100:.2f}",
            f"{min(one.thresholds):.4f} to {max(one.thresholds):.4f}",
            str(one.not_scored),
        )
        for one in found.accuracies
    )
    folds = f"{found.folds} folds" if found.folds > 1 else "one fold"
    notes = () if found.folds > 1 else ("One fold: its threshold is chosen on itself, which flatters.",)
    header = ("pairs counted", "pairs", "accuracy ± std. error", "95 %", "thresholds", "not scored")
    return Table(f"Accuracy over {found.pairs:,} pairs, {folds}", header, rows, notes)


def _verification(found: Verification) -> Table:
    rows = tuple(
        (
            told_far(one.false_accept_rate),
            f"{one.hit_rate.value:.4f}",
            f"{one.hit_rate.low:.4f} to {one.hit_rate.high:.4f}",
            f"{one.threshold:.4f}",
            f"{one.impostors_above:,}{'' if one.is_solid else ' (few)'}",
        )
        for one in found.hits
    )
    counted = (
        f"{found.genuine:,} of one person, {found.impostors:,} of two people; equal error rate"
        f" {told(found.equal_error_rate)}, area below the ROC {found.area.value:.5f}"
    )
    return Table(
        f"Hit rate (TAR) at false-accept rates (FAR): {found.counted}",
        ("FAR", "TAR", "95 %", "similarity above", "impostors above"),
        rows,
        (counted,),
    )


def told_far(rate: float) -> str:
    """1e-4 as people in the field write it."""
    return f"{rate:.0e}".replace("e-0", "e-")


def _misses(cells: Sequence[OpenSet]) -> Table:
    rows = tuple(
        (
            *_cell(cell),
            told_far(one.false_positive_rate) + ("" if one.is_solid else " (few)"),
            told(one.miss_rate),
            one_in(one.false_accept) if one.false_accept is not None else "-",
            told(one.miss_rate_by_similarity),
            f"{one.similarity:.4f}",
        )
        for cell in cells
        for one in cell.misses
    )
    header = ("N", "K", "n", "probes", "strangers", "FPIR", "missed (FNIR)")
    notes = (
        "N people enrolled with K pictures each, probes fused from n others, strangers the same way.",
        "Rule at: what the daemon's rule is asked for, to reach the FPIR. Plain: one similarity for all.",
    )
    return Table(
        "Open set: misses at chosen shares of strangers taken for somebody",
        (*header, "rule at", "plain: missed", "plain: above"),
        rows,
        notes,
    )


def _levels(cells: Sequence[OpenSet]) -> Table:
    rows = tuple(
        (
            *_cell(cell),
            one_in(one.asked),
            told(one.seen),
            f"{one.ratio.value:.2f} ({one.ratio.low:.2f} to {one.ratio.high:.2f})",
            told(one.missed),
            told(one.wrong_name),
        )
        for cell in cells
        for one in cell.levels
    )
    header = (
        "N",
        "K",
        "n",
        "probes",
        "strangers",
        "asked",
        "seen (FPIR)",
        "seen / asked",
        "missed",
        "wrong name",
    )
    return Table("Open set: what the daemon's own levels give", header, rows)


def _cell(cell: OpenSet) -> tuple[str, ...]:
    return (
        str(cell.gallery),
        str(cell.pictures),
        str(cell.faces),
        f"{cell.friends:,} of {cell.enrolled_people}",
        f"{cell.strangers:,} of {cell.stranger_people}",
    )


def _clips(found: Clips) -> Table:
    outcomes = [
        name for name in found.tracks.counts if found.tracks.counts[name] or found.images.counts[name]
    ]
    rows = tuple(
        (
            what,
            *(str(tally.counts[name]) for name in outcomes),
            told(tally.missed),
            told(tally.wrong),
            told(tally.strangers_named),
        )
        for what, tally in (("tracks", found.tracks), ("single images", found.images))
    )
    return Table(
        f"{found.clips} clips of {found.people} people, {found.splits} ways to enrol {found.gallery} of them,"
        f" false_accept {one_in(found.asked)}",
        ("", *outcomes, "missed", "wrong name", "strangers named"),
        rows,
        ("A track counts as wrong when it had a wrong name at any time.",),
    )


def _listed(seen: Sequence[Seen]) -> Table:
    rows = tuple(
        (
            one.clip,
            one.person or "nobody",
            str(one.outcome),
            one.said,
            "-" if one.similarity is None else f"{one.similarity:.3f}",
            str(one.split + 1),
        )
        for one in seen
    )
    return Table(
        "Tracks that went wrong", ("clip", "who it is", "outcome", "said", "similarity", "way"), rows
    )


def _pictures(found: Pictures) -> Table:
    rows = [
        ("pictures, of people", f"{found.pictures:,}, {found.people:,}"),
        *((f"face found: {way}", f"{count:,}") for way, count in found.ways.items()),
        ("several faces, the middle and large one taken", f"{found.with_several_faces:,}"),
        ("same content as another file", f"{found.duplicates:,}"),
        ("faces that the daemon would not embed", f"{found.rejected:,}"),
        *((f"- {reason}", f"{count:,}") for reason, count in found.rejections.items()),
    ]
    if found.left_out:
        rows.append(("left out, because only good faces were asked for", f"{found.left_out:,}"))
    if found.resumed:
        rows.append(("taken from the work folder", f"{found.resumed:,}"))
    return Table("Pictures", ("", "count"), tuple(rows), tuple(found.unreadable))


def _stages(stages: Sequence[Stage]) -> Table:
    rows = tuple(
        (one.stage, f"{one.median_ms:.2f}", f"{one.p95_ms:.2f}", f"{one.pictures:,}") for one in stages
    )
    return Table("Time a face, ms", ("stage", "median", "95 % are below", "pictures"), rows)


def _lines(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield ("  " + "  ".join(cells)).rstrip()
