"""`edged models bench`: how long the models take on this machine, and which settings that speaks for."""

import argparse
import json
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from edged.inference.bench import Measured, Timing
    from edged.inference.bench_proposal import Proposal
    from edged.inference.card import ModelCard

_DESCRIPTION = """\
Times every model on this machine with the TFLite runtime that is installed, in turns, and proposes settings.
What a model finds is not measured here: a detector for near faces only is never proposed, however fast.
Stop what else runs meanwhile; where the machine was too busy to tell, it is said. Where the configuration
names a delegate, the models that it is for are timed with it too.
"""

_MOST_THREADS = 4
_MIB = 1 << 20


def add_parser(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> argparse.ArgumentParser:
    """Add the action `bench` to `edged models`, which gives it the options that its actions share.

    `arguments.chosen` must become a function from the arguments to the settings of `models`.
    """
    parser = actions.add_parser(
        "bench",
        help="time the models on this machine and propose settings",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--seconds", type=_seconds, default=15.0, metavar="S", help="for all models together; without it 15"
    )
    parser.add_argument(
        "--threads",
        type=_threads,
        metavar="N",
        help=f"try 1 to N; without it as many as there are processors, at most {_MOST_THREADS}",
    )
    parser.set_defaults(run=_run)
    return parser


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds <= 3600:  # noqa: PLR2004
        raise argparse.ArgumentTypeError(f"{text} is not above 0 and at most 3600")
    return seconds


def _threads(text: str) -> int:
    count = int(text)
    if not 1 <= count <= 16:  # noqa: PLR2004
        raise argparse.ArgumentTypeError(f"{text} is not from 1 to 16")
    return count


def _run(arguments: argparse.Namespace) -> int:
    import cv2

    from edged.domain.errors import ModelError
    from edged.inference.bench import Bench
    from edged.inference.bench_proposal import Present, proposed
    from edged.inference.catalogue import AUTO, Catalogue, shipped_directory
    from edged.inference.runtime import find_runtime
    from edged.system.clock import SystemStopwatch
    from edged.system.memory import resident_bytes

    chosen = arguments.chosen(arguments)
    runtime, catalogue = find_runtime(), Catalogue(chosen.directory)
    path = shipped_directory() / "reference" / "astronaut.jpg"
    picture = cv2.imread(str(path))
    if picture is None:
        raise ModelError(f"reference picture {path} cannot be read", remedy="install edged again")
    most = arguments.threads or min(_MOST_THREADS, os.cpu_count() or 1)
    measured = Bench(runtime, SystemStopwatch(), resident_bytes).measure(
        catalogue,
        picture,  # type: ignore[arg-type]
        threads=range(1, most + 1),
        seconds=arguments.seconds,
        chosen=chosen,
    )
    cards = {name: catalogue.card(name) for name in {timing.name for timing in measured.timings}}
    present = Present(
        catalogue.detector_for(AUTO, runtime.name).name,
        "face-landmarks",
        catalogue.embedder_for(AUTO, runtime.name).name,
    )
    shipped = {name: card for name, card in cards.items() if catalogue.is_shipped(card)}
    proposal = proposed(shipped, measured.timings, runtime.name, present)
    release = f"{runtime.name} {runtime.version}"
    (_print_json if arguments.json else _print_tables)(release, cards, measured, proposal)
    return ModelError.exit_code if measured.failures else 0


def _print_tables(
    release: str,
    cards: "dict[str, ModelCard]",
    measured: "Measured",
    proposal: "Proposal",
) -> None:
    print(f"with {release}; milliseconds of one run:")
    head = ("ROLE", "MODEL", "THREADS", "MEDIAN", "P95", "CPU", "SPREAD", "MEMORY", "CARD SAYS", "MADE FOR")
    _print_table(
        [head, *(_row(release, cards[timing.name], timing) for timing in _in_order(measured.timings))]
    )
    for name, why in measured.failures.items():
        print(f"- model {name} does not run here: {why}")
    print("\nproposed:\n\nmodels:")
    for choice in proposal.choices:
        print(f"  {choice.key}: {choice.value}  # {choice.reason}")
    for remark in (*measured.remarks, *proposal.remarks):
        print(f"\n- {remark}")


def _row(release: str, card: "ModelCard", timing: "Timing") -> tuple[str, ...]:
    known = _known_ms(release, card, timing)
    return (
        timing.role,
        timing.name,
        timing.delegate or str(timing.threads),
        f"{timing.median_ms:.2f}",
        f"{timing.p95_ms:.2f}",
        f"{timing.cpu_ms:.2f}",
        f"{timing.spread:.0%}",
        f"{timing.memory_bytes / _MIB:.1f} MiB",
        "-" if known is None else f"{known:.2f}",
        ", ".join(card.runtimes) or "any",
    )


def _in_order(timings: "Sequence[Timing]") -> "list[Timing]":
    roles = ("detector", "landmarks", "embedder")
    return sorted(timings, key=lambda timing: (roles.index(timing.role), timing.threads, timing.median_ms))


def _known_ms(release: str, card: "ModelCard", timing: "Timing") -> float | None:
    """What the card says of this runtime, whatever its version, with so many threads on its machine."""
    if timing.delegate:
        return None
    package = release.split(maxsplit=1)[0]
    for known in card.timings:
        if known.runtime.split()[0] == package and known.threads == timing.threads:
            return known.median_ms
    return None


def _print_json(
    release: str,
    cards: "dict[str, ModelCard]",
    measured: "Measured",
    proposal: "Proposal",
) -> None:
    import msgspec

    def told(timing: "Timing") -> dict[str, Any]:
        card = cards[timing.name]
        known = _known_ms(release, card, timing)
        return {**msgspec.to_builtins(timing), "made_for": card.runtimes, "card_says_ms": known}

    content = {
        "runtime": release,
        "timings": [told(timing) for timing in _in_order(measured.timings)],
        "failures": measured.failures,
        "remarks": measured.remarks,
        "proposed": msgspec.to_builtins(proposal),
    }
    print(json.dumps(content, indent=2))


def _print_table(rows: Sequence[tuple[str, ...]]) -> None:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
