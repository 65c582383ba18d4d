"""`edged doctor`: what is well, what is not, and what to do about it."""

import argparse

from edged.cli.config_option import add_config_option

DESCRIPTION = """\
Look at everything the daemon needs, from Python to the sinks, and say of each thing how it is and what to do
about it. Tells no sink anything and changes nothing. A camera that allows one reader alone may refuse a
second while the daemon runs.
"""


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
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print each finding as it is made; 1 when something is wrong."""
    import msgspec

    from edged.app.checkup import Finding, Health, examine
    from edged.system.clock import SystemClock

    def told(finding: Finding) -> str:
        if arguments.json:
            return msgspec.json.encode(finding).decode()
        lines = [f"{finding.health:9} {finding.what}: {finding.seen}"]
        lines += [f"{'':9} -> {finding.remedy}"] if finding.remedy else []
        return "\n".join(lines)

    is_ill = False
    for finding in examine(arguments.config, SystemClock(), with_fsck=arguments.fsck):
        print(told(finding), flush=True)
        is_ill = is_ill or finding.health is Health.ILL
    return 1 if is_ill else 0
