"""The configuration file to settings: read, checked whole, its secrets looked up."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from edged.app.mistakes import Mistake, refusal
from edged.app.reading import Reader
from edged.app.yaml_source import UnreadableError, parse
from edged.domain.errors import ConfigurationError
from edged.settings.consistency import doubts
from edged.settings.root import Settings
from edged.system.regular_file import open_regular_file
from edged.system.secrets import SecretStore, named

_MOST_BYTES: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Loaded:
    """A configuration that is right, and where it came from.

    Attributes:
        settings: the values, defaults filled in.
        path: the file.
        base_dir: its folder, absolute: paths inside the settings are relative to it.
        doubts: what is allowed and most likely not meant, for the log.
    """

    settings: Settings
    path: Path
    base_dir: Path
    doubts: tuple[str, ...]

    def resolved(self, path: str) -> Path:
        """A path of the settings as an absolute one."""
        return self.base_dir / path


def load(path: Path, *, with_secrets: bool = True, environ: Mapping[str, str] | None = None) -> Loaded:
    """Read a configuration file.

    Args:
        path: the file.
        with_secrets: look up what `!secret` names; without, revealing one is an error. Commands that need no
            secret do without, because the daemon's are mostly not theirs to see.
        environ: the environment that secrets may be in; the process's own by default.

    Raises:
        ConfigurationError: the file cannot be used; tells all its mistakes, each with line, path and what
            would be right.
    """
    base_dir = path.absolute().parent
    secrets = SecretStore(base_dir / "secrets", os.environ if environ is None else environ)
    settings = settings_from(_text(path), path, Reader(secrets.read if with_secrets else named))
    return Loaded(settings, path, base_dir, tuple(doubts(settings)))


def settings_from(text: str, path: Path, reader: Reader) -> Settings:
    """The settings that a text holds; `path` is what errors call it. Raises ConfigurationError."""
    try:
        root, repeated_keys = parse(text)
        settings = None if root is None else reader.read(root, Settings)
    except UnreadableError as error:
        raise refusal(path, [error.mistake]) from None
    if root is None:
        raise refusal(path, [Mistake(0, "", "is empty; `config.example.yaml` is one to begin with")])
    if repeated_keys or not isinstance(settings, Settings):
        raise refusal(path, [*repeated_keys, *reader.mistakes])
    return settings


def _text(path: Path) -> str:
    try:
        with open_regular_file(path) as file:
            raw = file.read(_MOST_BYTES + 1)
    except FileNotFoundError:
        raise ConfigurationError(
            f"there is no configuration file {path}",
            remedy="begin with `config.example.yaml`, or name another file with `--config FILE`",
        ) from None
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}") from None
    if len(raw) > _MOST_BYTES:
        raise ConfigurationError(f"{path} has more than {_MOST_BYTES} bytes; that is no configuration file")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise refusal(path, [Mistake(line, "", "is not UTF-8 text")]) from None
