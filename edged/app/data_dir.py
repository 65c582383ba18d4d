"""Where the databases are, for the daemon and for every command alike."""

import os
from collections.abc import Mapping
from pathlib import Path


def data_dir_of(configured: str | None, base_dir: Path, environ: Mapping[str, str] | None = None) -> Path:
    """The data folder, absolute; it need not exist.

    Args:
        configured: what the configuration or the command line says; relative to `base_dir`.
        base_dir: the configuration file's folder, or the one that a command was called in.
        environ: the process's own environment by default. Without a configured folder it is systemd's
            `$STATE_DIRECTORY` (the first, where it names several), else `~/.local/share/edged`.
    """
    environ = os.environ if environ is None else environ
    if configured is not None:
        return (base_dir / Path(configured).expanduser()).absolute()
    if state := environ.get("STATE_DIRECTORY", "").split(":")[0]:
        return Path(state).absolute()
    return Path("~/.local/share/edged").expanduser()
