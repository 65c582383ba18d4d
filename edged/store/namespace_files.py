"""Where a namespace's files are, and what kind of database they are."""

from pathlib import Path
from typing import Final

from edged.domain.errors import InputError
from edged.domain.identifiers import NAMESPACE, RESERVED_NAMESPACES
from edged.store.database import Schema

NAMESPACE_SCHEMA: Final = Schema(
    kind="namespace database",
    application_id=0x6564_4E53,  # "edNS"
    migrations=Path(__file__).with_name("namespace_migrations"),
    gives_back=True,
)


def namespace_path(data_dir: Path, namespace: str) -> Path:
    """The database of a namespace; raises InputError for what cannot be a namespace's name."""
    if not _can_be_named(namespace):
        raise InputError(
            f"{namespace!r} cannot be a namespace's name",
            remedy="It has 1 to 128 of A-Z a-z 0-9 _ . - and is not `device` or `sync`.",
        )
    return data_dir / "namespaces" / f"{namespace}.db"


def namespaces_in(data_dir: Path) -> list[str]:
    """The namespaces that have a database, in the order of their names.

    A file that somebody put there under a name that no namespace can have is none.
    """
    names = (path.name.removesuffix(".db") for path in (data_dir / "namespaces").glob("*.db"))
    return sorted(name for name in names if _can_be_named(name))


def _can_be_named(namespace: str) -> bool:
    return NAMESPACE.fullmatch(namespace) is not None and namespace not in RESERVED_NAMESPACES


def damaged_copies(path: Path) -> list[Path]:
    """Files that were moved aside because they were damaged. They may hold whoever was enrolled then."""
    return sorted(path.parent.glob(f"{path.name}.corrupt-*"))


def file_of(path: Path) -> tuple[int, int] | None:
    """What tells one file from another that took its name (device, inode); None where there is none."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino
