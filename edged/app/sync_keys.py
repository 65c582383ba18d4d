"""A node's own secret for each namespace: of the configuration, else a file of the data folder."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from edged.app.secret_text import secret_in, text_of
from edged.domain.errors import ConfigurationError, StoreError
from edged.replication.keys import SEED_BYTES, NodeKeys
from edged.settings.sync import Sync

SECRETS_FOLDER: Final = "sync"
"""Of a data folder: a file for each namespace that is synced here."""
_MOST_BYTES: Final = 1_000


def key_path(data_dir: Path, namespace: str) -> Path:
    """Where the secret lies that no credential holds."""
    return data_dir / SECRETS_FOLDER / f"{namespace}.key"


def is_configured(settings: Sync | None, namespace: str) -> bool:
    """Whether the secret is to come from the credentials: then no file is looked for, or made."""
    return any(one.namespace == namespace for one in (settings.keys if settings else ()))


def node_keys(settings: Sync | None, data_dir: Path, namespace: str) -> NodeKeys | None:
    """What the node can sign and open with; None where its secret is not here.

    Raises ConfigurationError for a secret that is none, StoreError where the file cannot be read.
    """
    seed = seed_of(settings, data_dir, namespace)
    return None if seed is None else NodeKeys(seed)


def seed_of(settings: Sync | None, data_dir: Path, namespace: str) -> bytes | None:
    """The node's secret, 32 bytes; None where it is not here. Raises as `node_keys` does."""
    for one in settings.keys if settings else ():
        if one.namespace == namespace:
            return _seed_from(one.key.reveal(), f"secret `{one.key.name}`")
    path = key_path(data_dir, namespace)
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreError(f"{path}, this node's own secret, cannot be read: {error.strerror}") from None
    return _seed_from(content.decode("ascii", "replace"), str(path))


def make_seed(
    settings: Sync | None, data_dir: Path, namespace: str, random_bytes: Callable[[int], bytes]
) -> NodeKeys:
    """The node's keys, its secret made where it has none yet: when this returns it is on the disk.

    Raises ConfigurationError for a secret that is none, StoreError where the file cannot be written.
    """
    present = node_keys(settings, data_dir, namespace)
    if present is not None:
        return present
    seed = random_bytes(SEED_BYTES)
    write_seed(data_dir, namespace, seed)
    return NodeKeys(seed)


def write_seed(data_dir: Path, namespace: str, seed: bytes) -> None:
    """Write a secret where there is none; raises StoreError. Only the file's owner may read it."""
    path = key_path(data_dir, namespace)
    partial = path.with_name(f".{path.name}.partial")
    try:
        path.parent.mkdir(mode=0o700, exist_ok=True)
        partial.unlink(missing_ok=True)
        descriptor = os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(f"{text_of(seed)}\n")
            file.flush()
            _give_to_the_folders_owner(file.fileno(), data_dir)
            os.fsync(file.fileno())
        # A link, because it does not take the place of another one.
        os.link(partial, path)
        partial.unlink()
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            _give_to_the_folders_owner(folder, data_dir)
            os.fsync(folder)
        finally:
            os.close(folder)
    except FileExistsError:
        raise StoreError(
            f"{path} is there already", remedy="it is this node's secret: move it away first"
        ) from None
    except OSError as error:
        raise StoreError(f"{path}, this node's own secret, cannot be written: {error.strerror}") from None


def new_key(random_bytes: Callable[[int], bytes]) -> str:
    """A secret as the configuration has it."""
    return text_of(random_bytes(SEED_BYTES))


def _give_to_the_folders_owner(descriptor: int, data_dir: Path) -> None:
    """Made by hand, as root: the service's user must be able to read it afterwards."""
    if os.geteuid() == 0:
        owner = data_dir.stat()
        os.fchown(descriptor, owner.st_uid, owner.st_gid)


def _seed_from(text: str, name: str) -> bytes:
    seed = secret_in(text, SEED_BYTES)
    if seed is None:
        raise ConfigurationError(
            f"{name} is no secret of a node: it must be {SEED_BYTES} bytes in base64",
            remedy="`edged sync new-key` makes one; another one than before is another node, which must join"
            " again.",
        )
    return seed
