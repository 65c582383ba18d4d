"""`edged authority`: a node without cameras."""

import argparse

from edged.cli.config_option import add_config_option

DESCRIPTION = """\
Run a node without cameras in the foreground: it keeps namespaces and has them the same on other nodes, mostly
as their authority. Nothing is recognised, and of the sinks only the broker is used. The configuration is as
for `edged run`; `feeds` may be empty. SIGTERM or Ctrl-C stops it with everything committed.
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "authority",
        help="run a node without cameras that keeps namespaces in sync",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_config_option(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run until a signal; 0 after a clean stop."""
    from edged.system.memory import keep_little

    keep_little()
    from edged.app.bare_node import BareNode
    from edged.app.configuration import load
    from edged.system.ending import end_process
    from edged.system.log import configure_logging

    loaded = load(arguments.config)
    configure_logging(loaded.settings.log)
    return end_process(BareNode(loaded).run())
