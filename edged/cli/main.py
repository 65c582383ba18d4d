"""The command `edged`: finds the subcommand, tells errors the way a person can use them."""

import argparse
import importlib
import sys
from collections.abc import Sequence

from edged import __version__
from edged.domain.errors import EdgedError, StoreError

COMMANDS = (
    "run",
    "authority",
    "feeds",
    "demo",
    "recognize",
    "identities",
    "groups",
    "erase",
    "privacy",
    "sync",
    "models",
    "api",
    "evaluate",
    "calibrate",
    "outbox",
    "config",
    "doctor",
    "completion",
)
"""Modules of this package, in the order of the help. Each has `add_parser(subparsers)`, which sets the
default `run` to a function from the parsed arguments to an exit code."""

EXIT_CODES = """\
exit codes:
  0   done
  1   the command says why not
  2   the command line is not understood
  65  a picture, clip or archive cannot be used
  66  a feed gives no frames
  69  a sink does not take a message
  72  a model or its runtime is missing, altered or unusable
  74  a database cannot be opened, read or written
  75  other nodes have not answered in time
  78  the configuration is wrong
  130 interrupted
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code and never raises what a person could act on."""
    words = sys.argv[1:] if argv is None else argv
    # Of several, only the one that is named: the others would take the daemon memory and time.
    named = tuple(command for command in COMMANDS if command in words[:1])
    arguments = _parser(named or COMMANDS).parse_args(words)
    try:
        return int(arguments.run(arguments))
    except EdgedError as error:
        print(f"edged: {error}", file=sys.stderr)
        return error.exit_code
    except BrokenPipeError:
        # Whoever read our output has gone (`edged … | head`): nothing is wrong, and nothing more can be said.
        sys.stdout = None
        return 0
    except OSError as error:
        # What no adapter foresaw, such as a folder that may not be looked into: still no traceback.
        print(f"edged: {error.filename or 'the system'}: {error.strerror or error}", file=sys.stderr)
        return StoreError.exit_code
    except KeyboardInterrupt:
        return 130


def whole_parser() -> argparse.ArgumentParser:
    """The parser with every command, for whoever describes them."""
    return _parser()


def _parser(commands: Sequence[str] = COMMANDS) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="edged",
        description="A recognition camera daemon: frames in, recognised people out, none lost.",
        epilog=EXIT_CODES,
        formatter_class=lambda prog: argparse.RawDescriptionHelpFormatter(prog, max_help_position=24),
    )
    parser.add_argument("--version", action="version", version=f"edged {__version__}")
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name in commands:
        importlib.import_module(f"edged.cli.{name}").add_parser(subparsers)
    return parser
