"""`edged doctor`: what is well, what is not, and what to do about it."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from edged.cli.config_option import add_config_option

if TYPE_CHECKING:
    from edged.app.checkup.examination import Examination
    from edged.app.checkup.finding import Finding

DESCRIPTION = """\
Look at everything the daemon needs, from Python to the sinks, and say of each thing how it is and what to do
about it. Tells no sink any news and changes nothing. A camera that allows one reader alone may refuse a
second while the daemon runs. With --bundle, an archive for an issue report is made of it, without secrets,
people's names, faces or addresses.
"""

_SECTIONS = ("machine", "configuration", "service", "store", "sinks", "sync", "models", "feeds")
_LONGEST_S = 600


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "doctor",
        help="find out what is wrong, and what to do about it",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Ends with 1 when something is wrong; what is only doubtful does not count.",
    )
    add_config_option(parser)
    parser.add_argument("--fsck", action="store_true", help="prove the databases whole; reads all of them")
    parser.add_argument("--json", action="store_true", help="one JSON line a check")
    chosen = parser.add_mutually_exclusive_group()
    chosen.add_argument(
        "--only",
        type=_sections,
        metavar="SECTIONS",
        help=f"look at these alone, with commas between them: {', '.join(_SECTIONS)}",
    )
    chosen.add_argument("--skip", type=_sections, metavar="SECTIONS", help="look at all but these")
    parser.add_argument(
        "--seconds", type=_seconds, default=3.0, metavar="N", help="measure feeds for so long; without it 3"
    )
    parser.add_argument(
        "--bundle",
        nargs="?",
        type=Path,
        const=Path(),
        metavar="FILE",
        help="write an archive for an issue report; without FILE, in this folder with device and date",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print each finding as it is made; 1 when something is wrong."""
    from edged.app.checkup.examination import Examination, as_json
    from edged.app.checkup.finding import Health
    from edged.system.clock import SystemClock

    wanted = arguments.only or [name for name in _SECTIONS if name not in (arguments.skip or ())]
    examination = Examination(
        arguments.config,
        SystemClock(),
        with_fsck=arguments.fsck,
        seconds=arguments.seconds,
        sections=wanted,
    )
    if not arguments.json:
        examination.begun = lambda section: print(f"\n{_headline(section, arguments.seconds)}", flush=True)
    findings = []
    for finding in examination.findings():
        print(as_json(finding) if arguments.json else _told(finding), flush=True)
        findings.append(finding)
    if arguments.bundle is not None:
        _bundle(examination, findings, arguments.bundle, is_quiet=arguments.json)
    return 1 if any(finding.health is Health.ILL for finding in findings) else 0


def _headline(section: str, seconds: float) -> str:
    return f"{section}, each measured for {seconds:g} s" if section == "feeds" else section


def _told(finding: "Finding") -> str:
    lines = [f"{finding.health:9} {finding.what}: {finding.seen}"]
    lines += [f"{'':9} -> {finding.remedy}"] if finding.remedy else []
    return "\n".join(lines)


def _bundle(examination: "Examination", findings: "list[Finding]", path: Path, *, is_quiet: bool) -> None:
    import sys

    from edged.app.checkup.bundle import write_bundle

    written = write_bundle(examination, findings, path)
    to = sys.stderr if is_quiet else sys.stdout
    print(f"\n{written.path} is written, for you alone. It holds:", file=to)
    for name, words in written.contents:
        print(f"  {name:20} {words}", file=to)
    print(
        "Look at it before you send it: names of feeds, namespaces and this device are in it, and what else\n"
        "you named in the configuration. It has no secrets, no people's names, no pictures, no addresses.",
        file=to,
    )


def _sections(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    unknown = [name for name in names if name not in _SECTIONS]
    if unknown or not names:
        raise argparse.ArgumentTypeError(f"{text!r} names no sections; there are {', '.join(_SECTIONS)}")
    return names


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds <= _LONGEST_S:
        raise argparse.ArgumentTypeError(f"{text} is not above 0 and at most {_LONGEST_S}")
    return seconds
