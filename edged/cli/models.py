"""`edged models`: which models there are, whether they work on this machine, and which embedder is used."""

import argparse
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from edged.cli import models_bench
from edged.cli.config_option import DEFAULT_PATH, add_config_option
from edged.cli.models_add import add_add_parser
from edged.cli.models_use import add_forget_parser, add_use_parser
from edged.domain.errors import ModelError

if TYPE_CHECKING:
    from edged.settings.recognition import Models

_DESCRIPTION = """\
The models that find faces and recognise them, each with its card: where it came from, its licence, its
thresholds and the data they were measured on.
"""

_VERIFY = """\
Checks each model's file against its card by SHA-256, loads it into the TFLite runtime that is installed,
runs it on a small reference picture and compares the results with the card's. Run it after an installation
and when recognition behaves strangely. Ends with 72 when a model fails, and names each that does. A model of
your own has no reference results: it is run, and what it gives is said. A delegate that the configuration
names is used, and told.
"""

_EXAMPLES = """\
examples:
  edged models list
  edged models list --json | jq '.[].licence'
  edged models verify
  edged models verify face-landmarks
  edged models bench --seconds 30
  edged models add my-detector.tflite --directory /etc/edged/models
  edged models use dlib-resnet-v1-weight-only-int8
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command `models`."""
    parser = subparsers.add_parser(
        "models",
        help="list the models, verify that they work here, change the embedder",
        description=_DESCRIPTION,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    listing = actions.add_parser(
        "list", help="the models there are", description="Lists the models there are."
    )
    listing.set_defaults(run=_run_list)
    verifying = actions.add_parser(
        "verify",
        help="check, load and run models on reference input",
        description=_VERIFY,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verifying.add_argument("names", nargs="*", metavar="NAME", help="models to verify; without, all of them")
    verifying.set_defaults(run=_run_verify)
    benching = models_bench.add_parser(actions)
    benching.set_defaults(chosen=_chosen)
    for action in (listing, verifying, benching):
        action.add_argument(
            "--directory",
            metavar="DIR",
            help="folder of your own models, searched before edged's (default: the configuration's)",
        )
        action.add_argument("--json", action="store_true", help="tell it as JSON on standard output")
        add_config_option(action)
    add_use_parser(actions)
    add_forget_parser(actions)
    add_add_parser(actions)


def _run_list(arguments: argparse.Namespace) -> int:
    import msgspec

    from edged.inference.catalogue import Catalogue

    catalogue = Catalogue(_chosen(arguments).directory)
    cards = catalogue.cards()
    if arguments.json:
        print(json.dumps([_without_reference(msgspec.to_builtins(card)) for card in cards], indent=2))
        return 0
    rows = [("NAME", "ROLE", "SIZE", "LICENCE", "MADE FOR", "SHA-256")]
    rows += [
        (
            card.name,
            card.role,
            "-" if card.bytes is None else f"{card.bytes / 1e6:.2f} MB",
            card.licence.spdx,
            ", ".join(card.runtimes) or "any",
            card.sha256[:12],
        )
        for card in cards
    ]
    _print_table(rows)
    if hiding := catalogue.hiding():
        print(f"in {catalogue.directory}, and hiding those that came with edged: {', '.join(hiding)}")
    return 0


def _chosen(arguments: argparse.Namespace) -> "Models":
    """The models of the configuration, where there is one, with the folder of the command line."""
    import msgspec

    from edged.app.absolute_paths import with_absolute_paths
    from edged.app.configuration import load
    from edged.settings.recognition import Models

    models = Models()
    if arguments.config != DEFAULT_PATH or arguments.config.exists():
        loaded = load(arguments.config, with_secrets=False)
        models = with_absolute_paths(loaded.settings.models, loaded.base_dir)
    if arguments.directory is not None:
        models = msgspec.structs.replace(models, directory=arguments.directory)
    return models


def _run_verify(arguments: argparse.Namespace) -> int:
    from edged.inference.catalogue import Catalogue
    from edged.inference.runtime import find_runtime
    from edged.inference.verify import verify

    chosen = _chosen(arguments)
    catalogue = Catalogue(chosen.directory)
    names = arguments.names or catalogue.names()
    runtime = find_runtime()
    verdicts = [verify(catalogue, name, runtime, chosen) for name in names]
    if arguments.json:
        models = [
            {
                "name": verdict.name,
                "works": verdict.works,
                "problems": verdict.problems,
                "deviations": verdict.deviations,
                "delegate": verdict.delegate,
                "remarks": verdict.remarks,
            }
            for verdict in verdicts
        ]
        print(json.dumps({"runtime": runtime.name, "version": runtime.version, "models": models}, indent=2))
    else:
        print(f"with {runtime.name} {runtime.version}:")
        _print_table(
            [
                (
                    verdict.name,
                    "works" if verdict.works else "FAILS",
                    "; ".join([*verdict.deviations, *([verdict.delegate] if verdict.delegate else [])]),
                )
                for verdict in verdicts
            ]
        )
        for verdict in verdicts:
            for problem in (*verdict.problems, *verdict.remarks):
                print(f"- {problem}")
    return 0 if all(verdict.works for verdict in verdicts) else ModelError.exit_code


def _without_reference(card: dict[str, Any]) -> dict[str, Any]:
    """The card as people want to read it: 128 numbers of an expected embedding tell them nothing."""
    return {name: value for name, value in card.items() if name != "reference"}


def _print_table(rows: Sequence[tuple[str, ...]]) -> None:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print("  ".join(cells).rstrip())
