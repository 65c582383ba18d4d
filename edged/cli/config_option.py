"""The option `--config`, which most commands have."""

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
