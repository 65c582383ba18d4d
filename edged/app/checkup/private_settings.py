"""What of a configuration is not for others: found by walking it, and left out of what is shown."""

from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec
import yaml

from edged.app.checkup.censor import LEFT_OUT, Censor
from edged.app.shown import shown
from edged.domain.errors import ConfigurationError
from edged.settings.quantities import Secret, Section
from edged.settings.root import Settings

_LEFT_OUT_KEYS: Final = frozenset({"username", "organization", "mask name"})
_LONGEST_ARGUMENT: Final = 20
_TELLTALES: Final = ("header", "cookie", "pass", "key", "auth", "user", "token")


def secrets_in(settings: Settings) -> tuple[list[str], bool]:
    """The values of all secrets that were looked up, and whether all of them were."""
    values: list[str] = []
    is_all = True
    for _, value in _leaves(settings):
        if isinstance(value, Secret):
            try:
                values.append(value.reveal())
            except ConfigurationError:
                is_all = False
    return values, is_all


def secret_names_in(settings: Settings) -> list[str]:
    """The names of all secrets, each once."""
    return list(dict.fromkeys(value.name for _, value in _leaves(settings) if isinstance(value, Secret)))


def hosts_in(settings: Settings) -> list[str]:
    """Names and addresses of machines that stand alone; those in URLs are found wherever they are."""
    found = [str(value) for key, value in _leaves(settings) if key in ("host", "trusted_proxies") and value]
    if settings.http is not None:
        found.append(settings.http.listen.rpartition(":")[0])
    urls = [str(value) for key, value in _leaves(settings) if key in ("url", "public_url") and value]
    return [*found, *(urlsplit(url).hostname or "" for url in urls)]


def users_in(settings: Settings) -> list[str]:
    """Names of accounts at cameras and brokers."""
    return [
        str(value) for key, value in _leaves(settings) if key == "username" and value and value != "edged"
    ]


def without_privacy(settings: Settings, censor: Censor) -> str:
    """The settings as YAML, as `edged config show` prints them; the censor has to see it whole yet."""
    plain = _cleaned(yaml.safe_load(shown(settings)), censor)
    return str(yaml.safe_dump(plain, sort_keys=False, allow_unicode=True, width=1000))


def _cleaned(value: Any, censor: Censor, key: str = "") -> Any:
    if isinstance(value, dict):
        is_mask = "points" in value
        return {
            name: _cleaned(inner, censor, "mask name" if is_mask and name == "name" else name)
            for name, inner in value.items()
        }
    if isinstance(value, list) and key == "ffmpeg_input":
        return [_argument(one, before) for one, before in zip(value, ["", *value], strict=False)]
    if isinstance(value, list):
        return [_cleaned(inner, censor, key) for inner in value]
    if isinstance(value, str) and value:
        return _cleaned_text(value, censor, key)
    return value


def _cleaned_text(value: str, censor: Censor, key: str) -> str:
    if key in _LEFT_OUT_KEYS:
        return LEFT_OUT
    if key == "host":
        return censor.host(value)
    if key == "listen":
        host, _, port = value.rpartition(":")
        return f"{censor.host(host)}:{port}"
    return value


def _argument(argument: str, previous: str) -> str:
    """An argument for ffmpeg, where it cannot be a secret."""
    if any(word in previous.lower() for word in _TELLTALES):
        return LEFT_OUT
    is_plain = argument.startswith(("-", "/dev/")) or len(argument) <= _LONGEST_ARGUMENT
    return argument if is_plain else LEFT_OUT


def _leaves(section: Section, key: str = "") -> Iterator[tuple[str, Any]]:
    """Every value with its key."""
    for name in section.__struct_fields__:
        value = getattr(section, name)
        yield from _leaves_of(name or key, value)


def _leaves_of(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Section):
        yield from _leaves(value, name)
    elif isinstance(value, tuple):
        for item in value:
            yield from _leaves_of(name, item)
    elif not isinstance(value, msgspec.Struct):
        yield name, value
