"""What a check says, and how a check is kept from ending the others."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias

from edged.domain.errors import EdgedError
from edged.domain.redaction import redacted

SECTIONS: Final = ("machine", "configuration", "service", "store", "sinks", "sync", "models", "feeds")
"""In the order in which they are looked at: what is quick comes first."""

NAMES: Final = {
    "edged": "machine",
    "Python": "machine",
    "libraries": "machine",
    "machine": "machine",
    "processor": "machine",
    "memory": "machine",
    "clock": "machine",
    "heat": "machine",
    "configuration": "configuration",
    "secrets": "configuration",
    "permissions": "configuration",
    "privacy": "configuration",
    "daemon": "service",
    "unit": "service",
    "http": "service",
    "certificate": "service",
    "data folder": "store",
    "disk": "store",
    "namespace": "store",
    "outbox": "store",
    "api.db": "store",
    "sink": "sinks",
    "access": "sinks",
    "seen by": "sinks",
    "sync": "sync",
    "told": "sync",
    "seed": "sync",
    "sync broker": "sync",
    "epoch": "sync",
    "proposals": "sync",
    "members": "sync",
    "runtime": "models",
    "embedder": "models",
    "model": "models",
    "speed": "models",
    "feed": "feeds",
}
"""How each check is called, before the name of what it looks at; docs/doctor.md explains all of them."""


class Health(StrEnum):
    """How a check came out."""

    WELL = "ok"
    DOUBTFUL = "doubtful"
    ILL = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: what was looked at, how it is, what was seen, what to do about it, and its section."""

    what: str
    health: Health
    seen: str
    remedy: str = ""
    section: str = ""


Check: TypeAlias = Callable[[], Iterable[Finding]]


def well(what: str, seen: str) -> Finding:
    """All is as it should be."""
    return Finding(what, Health.WELL, seen)


def doubtful(what: str, seen: str, remedy: str) -> Finding:
    """It may be meant; a person should look."""
    return Finding(what, Health.DOUBTFUL, seen, remedy)


def ill(what: str, seen: str, remedy: str) -> Finding:
    """It is wrong."""
    return Finding(what, Health.ILL, seen, remedy)


def guarded(what: str, check: Check) -> Iterator[Finding]:
    """A check's findings, and where it fails, its error as one more. Never raises."""
    try:
        yield from check()
    except EdgedError as error:
        yield ill(what, redacted(error.what), redacted(error.remedy))
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        is_refused = isinstance(error, PermissionError)
        remedy = "run as the user of the daemon" if is_refused else "see docs/doctor.md for what was tried"
        yield ill(what, f"{where}{error.strerror or type(error).__name__}", remedy)
    except Exception as error:  # noqa: BLE001 - one broken check must not hide what the others find
        yield ill(what, f"the check itself failed: {type(error).__name__}", "report it as a fault of edged")
