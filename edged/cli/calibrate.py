"""`edged calibrate`: does the calibration fit this house, and what should be changed?"""

import argparse
from typing import TYPE_CHECKING

from edged.cli.identities_place import Place, add_place_options
from edged.domain.errors import EdgedError

if TYPE_CHECKING:
    from edged.settings.quantities import FalseAccept

DESCRIPTION = """\
Looks at the people enrolled in a namespace and at the strangers that the daemon recorded there, and says
whether the embedder's calibration fits them: which people would be missed, who looks like whom, whether
strangers resemble the enrolled people as often as they should, and which `recognition.similarity_offset`
would put that right. It changes nothing.
"""

EPILOG = """\
examples:
  edged calibrate
  edged calibrate --level "1 in 1_000"
  edged calibrate --namespace office --json
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "calibrate",
        help="say whether the thresholds fit this house's people and strangers",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_place_options(parser)
    parser.add_argument(
        "--level",
        metavar="LEVEL",
        help='judge by this level instead of the configured one, such as "1 in 1_000" or strict',
    )
    parser.add_argument("--json", action="store_true", help="print a JSON object")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Survey the namespace and tell."""
    import msgspec

    from edged.app.calibration import InUse, survey_namespace
    from edged.app.group_model import calibrated_embedder
    from edged.cli.calibrate_words import told
    from edged.settings.groups import Groups
    from edged.settings.recognition import Models, Recognition

    level = _level(arguments.level)
    place = Place(arguments)
    configured = place.settings
    recognition = configured.recognition if configured else Recognition()
    if level is not None:
        recognition = msgspec.structs.replace(recognition, false_accept=level)
    groups = configured.groups if configured else Groups()
    with place.reading() as store:
        model_hash, calibration = calibrated_embedder(
            configured.models if configured else Models(), place.data_dir
        )
        in_use = InUse(recognition, model_hash, calibration, keeps_groups=groups.enabled)
        report = survey_namespace(store, place.namespace, in_use)
    if arguments.json:
        head = {"namespace": place.namespace, "modelHash": model_hash, "notes": report.notes}
        content = msgspec.json.encode({**head, **msgspec.to_builtins(report.found)})
        print(msgspec.json.format(content, indent=2).decode())
    else:
        print(told(report.found, report.notes, place.namespace))
    return 0


def _level(text: str | None) -> "FalseAccept | None":
    """The level that was asked for, within the setting's bounds."""
    from edged.settings.expectations import expectation
    from edged.settings.kinds import Quantity, keys_of
    from edged.settings.quantities import FalseAccept
    from edged.settings.recognition import Recognition

    if text is None:
        return None
    kind = keys_of(Recognition)["false_accept"].kind
    assert isinstance(kind, Quantity)  # noqa: S101 - it is declared so
    try:
        level = FalseAccept.parse(text)
        least, most = (FalseAccept.parse(bound) for bound in (kind.at_least, kind.at_most))
    except ValueError as error:
        raise EdgedError(f"--level {text!r} is no level", remedy=f"{str(error).capitalize()}.") from None
    if not least <= level <= most:
        raise EdgedError(f"--level {text!r} is out of bounds: it is {expectation(kind)}")
    return level
