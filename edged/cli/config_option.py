"""The options `--config` and `--data-dir`, which many commands have."""

import argparse
import os
from pathlib import Path
from typing import Final

DEFAULT_PATH: Final = Path("/etc/edged/config.yaml")


def add_config_option(parser: argparse.ArgumentParser) -> None:
    """Give the parser `--config FILE`, a Path in `arguments.config`."""
    parser.add_argument(
        "--config",
        type=Path,
        default=Path(os.environ.get("EDGED_CONFIG") or DEFAULT_PATH),
        metavar="FILE",
        help=f"the configuration file (default: $EDGED_CONFIG, else {DEFAULT_PATH})",
    )


def add_data_dir_option(parser: argparse.ArgumentParser) -> None:
    """Give the parser `--data-dir DIR`, a text in `arguments.data_dir`; None where it is not given."""
    parser.add_argument(
        "--data-dir",
        metavar="DIR",
        help="folder of the databases (default: the configuration's, else $STATE_DIRECTORY, "
        "else ~/.local/share/edged)",
    )
