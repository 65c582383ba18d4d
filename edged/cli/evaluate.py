"""`edged evaluate`: how good is recognition on this labelled data set?"""

import argparse
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from edged.cli.config_option import DEFAULT_PATH, add_config_option
from edged.domain.errors import EdgedError, InputError

if TYPE_CHECKING:
    # Not at run time: they bring NumPy, which `edged --help` does without.
    from edged.app.evaluation_run import Asked
    from edged.evaluation.draws import Cell
    from edged.settings.root import Settings

_MOST = 100_000

DESCRIPTION = """\
Measure recognition on a labelled data set, with the code that the daemon runs: hit rates at false-accept
rates, misses of enrolled people against strangers taken for somebody, what the calibrated levels really give,
and the time a face takes. Every rate comes with an interval of 95 per cent.

DATASET is a folder with a folder of pictures for each person; such a folder with LFW's list of pairs
(--pairs); a CSV file `person,clip` of labelled clips; or an NPZ file that --embeddings wrote.
"""

EPILOG = """\
examples:
  edged evaluate people/ --html report.html
  edged evaluate lfw/ --pairs pairs.txt --work lfw-work --json lfw.json
  edged evaluate lfw/ --gallery 20,100 --pictures 1-5 --faces 1-5 --work lfw-work
  edged evaluate clips.csv

What was done so far is kept in the folder of --work: the same command goes on from there. Ends with 65 when
the data set cannot be evaluated.
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "evaluate",
        help="measure recognition on a labelled data set",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("dataset", type=Path, metavar="DATASET", help="folder of people, CSV or NPZ file")
    parser.add_argument("--pairs", type=Path, metavar="FILE", help="LFW's pairs.txt, or a file of its form")
    _add_open_set_options(parser)
    parser.add_argument(
        "--good-only", action="store_true", help="leave out faces that the daemon would not embed"
    )
    parser.add_argument(
        "--limit",
        type=_count,
        metavar="COUNT",
        help="only the first pictures, clips, or pairs of a fold, for a quick look",
    )
    parser.add_argument("--work", type=Path, metavar="DIR", help="folder that keeps what was done so far")
    parser.add_argument("--json", metavar="FILE", help="write the report as JSON; `-` is standard output")
    parser.add_argument(
        "--html", type=Path, metavar="FILE", help="write the report with plots as one HTML file"
    )
    parser.add_argument(
        "--embeddings",
        type=Path,
        metavar="FILE",
        help="write the embeddings of a folder as an NPZ file, to fit a calibration to",
    )
    parser.add_argument(
        "--calibrate",
        action="store_true",
        help="measure an embedder of your own on a folder of people, and write it into its card",
    )
    add_config_option(parser)
    parser.set_defaults(run=run)


def _add_open_set_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--gallery",
        type=_numbers,
        metavar="N",
        help="people enrolled, such as `20` or `20,100` (default: 20)",
    )
    parser.add_argument(
        "--pictures", type=_numbers, metavar="K", help="pictures of each, such as `5` or `1-5` (default: 5)"
    )
    parser.add_argument(
        "--faces", type=_numbers, metavar="COUNT", help="faces fused in a probe, the same way (default: 3)"
    )
    parser.add_argument(
        "--strangers",
        type=_count,
        default=_MOST,
        metavar="COUNT",
        help=f"probes of strangers to draw for each combination (default: {_MOST})",
    )
    parser.add_argument(
        "--resamples",
        type=_count,
        default=300,
        metavar="COUNT",
        help="resamples behind each interval (default: 300)",
    )
    parser.add_argument("--seed", type=int, default=1, help="of all draws (default: 1)")


def run(arguments: argparse.Namespace) -> int:
    """Evaluate, print, write."""
    import msgspec

    from edged.app.evaluation_run import EvaluationRun
    from edged.cli.evaluate_progress import Progress
    from edged.evaluation.page import page_of
    from edged.evaluation.tables import text_of
    from edged.system.clock import SystemClock, SystemStopwatch

    asked = _asked(arguments)
    for path in (arguments.json, arguments.html, arguments.embeddings):
        _require_writable(path)
    clock = SystemClock()
    progress = Progress(lambda line: print(line, file=sys.stderr, flush=True), clock)
    try:
        found = EvaluationRun(
            asked, *_settings(arguments), clock, SystemStopwatch().wall_ns, progress.tell
        ).evaluate()
    except KeyboardInterrupt:
        kept = f"what was done is kept in {asked.work}" if asked.work else "nothing is kept without --work"
        print(f"interrupted; {kept}", file=sys.stderr)
        raise
    as_json = msgspec.json.format(msgspec.json.encode(found)).decode()
    if arguments.json == "-":
        print(as_json)
    else:
        print(text_of(found).encode("utf-8", "replace").decode())
    if arguments.json not in (None, "-"):
        _write(Path(arguments.json), as_json + "\n")
    if arguments.html is not None:
        _write(arguments.html, page_of(found))
    return 0


def _asked(arguments: argparse.Namespace) -> "Asked":
    from edged.app.evaluation_run import Asked

    folder: Path = arguments.dataset
    if not folder.is_dir() and (arguments.pairs or arguments.embeddings):
        raise EdgedError("--pairs and --embeddings are for a folder of pictures, and DATASET is none")
    if arguments.calibrate and (arguments.pairs or folder.suffix.lower() == ".csv"):
        raise EdgedError("--calibrate is for a folder of people or an NPZ file of embeddings")
    if arguments.seed < 0:
        raise EdgedError("--seed is a whole number from 0 on")
    cells = _cells(arguments)
    return Asked(
        dataset=folder,
        pairs=arguments.pairs,
        cells=cells,
        with_open_set=bool(cells) or arguments.pairs is None,
        strangers=arguments.strangers,
        good_only=arguments.good_only,
        limit=arguments.limit,
        resamples=arguments.resamples,
        seed=arguments.seed,
        work=arguments.work,
        embeddings=arguments.embeddings,
        calibrate=arguments.calibrate,
    )


def _cells(arguments: argparse.Namespace) -> "tuple[Cell, ...]":
    from edged.evaluation.draws import Cell

    if arguments.gallery is None and arguments.pictures is None and arguments.faces is None:
        return ()
    return tuple(
        Cell(gallery, pictures, faces)
        for gallery in arguments.gallery or (20,)
        for pictures in arguments.pictures or (5,)
        for faces in arguments.faces or (3,)
    )


def _settings(arguments: argparse.Namespace) -> "tuple[Settings, Path]":
    """Of the configuration, where one is named or there; else the defaults. And the data folder."""
    from edged.app.configuration import load
    from edged.app.data_dir import data_dir_of
    from edged.app.evaluation_run import default_settings

    if arguments.config != DEFAULT_PATH or arguments.config.exists():
        loaded = load(arguments.config, with_secrets=False)
        return loaded.settings, data_dir_of(loaded.settings.data_dir, loaded.base_dir)
    return default_settings(), data_dir_of(None, Path.cwd())


def _numbers(text: str) -> tuple[int, ...]:
    """Read `5`, `20,100`, `1-5`."""
    numbers: list[int] = []
    for part in text.split(","):
        found = re.fullmatch(r"\s*(\d{1,6})(?:-(\d{1,6}))?\s*", part)
        first, last = (int(found[1]), int(found[2] or found[1])) if found else (0, 0)
        if not 1 <= first <= last <= _MOST:
            raise argparse.ArgumentTypeError(
                f"{text!r} is no number, list such as 20,100 or range such as 1-5"
            )
        numbers += range(first, last + 1)
    return tuple(dict.fromkeys(numbers))


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number above 0")
    return int(text)


def _require_writable(path: Path | str | None) -> None:
    """Refuse before the work what could not be written after it; raises InputError."""
    if path is None or path == "-":
        return
    folder = Path(path).parent
    if not folder.is_dir():
        raise InputError(f"{path} cannot be written: {folder} is no folder")
    if Path(path).is_dir():
        raise InputError(f"{path} cannot be written: it is a folder")


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, "utf-8", errors="replace")
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror or error}") from None
    print(f"written: {path}", file=sys.stderr)
