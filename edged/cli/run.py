"""`edged run`: the daemon."""

import argparse

from edged.cli.config_option import add_config_option

DESCRIPTION = """\
Run the daemon in the foreground: look at the feeds, recognise people, tell the sinks. The log goes to
standard error. SIGTERM or Ctrl-C stops it within five seconds with everything committed; SIGHUP reads the
configuration again and says what of it needs a restart.
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "run",
        help="run the daemon",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_config_option(parser)
    parser.add_argument(
        "--exit-when-done",
        action="store_true",
        help="end when every feed is a clip or folder that has ended and all jobs are delivered",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run until a signal; 0 after a clean stop."""
    from edged.system.memory import keep_little

    keep_little()
    from edged.app.configuration import load
    from edged.app.daemon import Daemon
    from edged.domain.errors import ConfigurationError
    from edged.system.ending import end_process
    from edged.system.log import configure_logging

    loaded = load(arguments.config)
    if not loaded.settings.feeds:
        raise ConfigurationError(
            f"{arguments.config} has no feeds, so there is nothing to look at",
            remedy="Add one to `feeds`; a node without cameras is run by `edged authority`.",
        )
    configure_logging(loaded.settings.log)
    return end_process(Daemon(loaded).run(exit_when_done=arguments.exit_when_done))
