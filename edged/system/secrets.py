"""Secrets that the configuration names: systemd's credentials, then a file, then the environment."""

import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from edged.domain.errors import ConfigurationError
from edged.settings.quantities import Secret
from edged.system.regular_file import open_regular_file

_NAME: Final = re.compile(r"(?!\.)[A-Za-z0-9_.-]{1,64}")
_MOST_BYTES: Final = 65_536


class SecretStore:
    """Looks secrets up by name.

    Args:
        folder: folder of secret files, one a secret.
        environ: the environment; `CREDENTIALS_DIRECTORY` is systemd's.
    """

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        self._folder = folder
        self._environ = environ

    def read(self, name: str) -> Secret:
        """The secret, without the newline that an editor leaves at its end.

        Raises ConfigurationError, saying where was looked, when the name is none, the secret is nowhere,
        or it is where others could read it.
        """
        named(name)
        credentials = self._environ.get("CREDENTIALS_DIRECTORY")
        if credentials:
            raw = _contents(Path(credentials, name), private=False)
            if raw is not None:
                return _secret(name, raw)
        raw = _contents(self._folder / name, private=True)
        if raw is not None:
            return _secret(name, raw)
        variable = variable_of(name)
        if variable in self._environ:
            return _secret(name, self._environ[variable].encode(errors="surrogateescape"))
        where = (
            "systemd's credentials (`LoadCredential=`), " if credentials else "no systemd credentials here, "
        )
        raise ConfigurationError(
            f"secret `{name}` is nowhere",
            remedy=f"looked in: {where}the file {self._folder / name}, the variable {variable}",
        )


def named(name: str) -> Secret:
    """The secret without its value, for whoever needs none; raises ConfigurationError for no name."""
    if not _NAME.fullmatch(name):
        # The text is not repeated: it may be the secret itself, written where its name belongs.
        raise ConfigurationError(
            "this is no name of a secret",
            remedy="names have 1 to 64 characters out of `A-Za-z0-9_.-` and do not begin with a dot",
        )
    return Secret(name)


def variable_of(name: str) -> str:
    """The environment variable that may hold the secret: `EDGED_SECRET_MQTT_PASSWORD`."""
    return "EDGED_SECRET_" + re.sub(r"[^A-Z0-9]", "_", name.upper())


def _contents(path: Path, *, private: bool) -> bytes | None:
    """The bytes of a secret's file, None where there is none; checks the opened file, not its name."""
    try:
        file = open_regular_file(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise ConfigurationError(
            f"{path} cannot be opened: {error.strerror}",
            remedy=f"under systemd use `LoadCredential={path.name}:{path}`; else let this user own it",
        ) from None
    with file:
        if private:
            _refuse_shared(path, os.fstat(file.fileno()))
        raw = file.read(_MOST_BYTES + 1)
    if len(raw) > _MOST_BYTES:
        raise ConfigurationError(f"{path} has more than {_MOST_BYTES} bytes; that is no secret")
    return raw


def _refuse_shared(path: Path, status: os.stat_result) -> None:
    if status.st_uid not in (0, os.geteuid()):
        raise ConfigurationError(
            f"{path} belongs to another user", remedy=f"`chown {os.geteuid()} {path}`, or let root own it"
        )
    if status.st_mode & 0o077:
        raise ConfigurationError(
            f"{path} can be read by others (mode {stat.S_IMODE(status.st_mode):04o})",
            remedy=f"`chmod 600 {path}`",
        )


def _secret(name: str, raw: bytes) -> Secret:
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        raise ConfigurationError(f"secret `{name}` is not UTF-8 text") from None
    text = text.removesuffix("\n").removesuffix("\r")
    if not text or "\0" in text:
        raise ConfigurationError(f"secret `{name}` is empty or binary")
    return Secret(name, text)
