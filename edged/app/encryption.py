"""The key of the configuration, and the namespaces that are encrypted with it."""

import logging
import os
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Final

from edged.app.configuration import Loaded
from edged.app.reembedding import Progress, Tell
from edged.app.secret_text import secret_in, text_of
from edged.domain.errors import ConfigurationError, StoreError, StoreFault
from edged.domain.moment import Clock
from edged.settings.privacy import Privacy
from edged.store.faults import is_there
from edged.store.namespace_files import damaged_copies, namespace_path, namespaces_in
from edged.store.namespace_recovery import open_or_recover, require_content
from edged.store.namespace_store import NamespaceStore
from edged.store.resealing import Resealed, is_swept, reseal, sweep_copies, take_key
from edged.store.sealing import KEY_BYTES, EncryptionKey, Key, UnreadableKey, require_open, seal_of
from edged.system.chance import random_bytes
from edged.system.secrets import SecretStore

_LOG: Final = logging.getLogger(__name__)


def configured_key(privacy: Privacy) -> EncryptionKey | None:
    """The key of the settings, whose secrets were looked up; None where there is none.

    Raises ConfigurationError for a secret that is no key.
    """
    secret = privacy.encryption_key
    return None if secret is None else key_from(secret.reveal(), f"secret `{secret.name}`")


def key_for_command(loaded: Loaded, environ: Mapping[str, str] | None = None) -> Key | None:
    """The key, for a command that reads the configuration without its other secrets.

    Where whoever runs the command may not read it, that is told when something needs it.
    """
    secret = loaded.settings.privacy.encryption_key
    if secret is None:
        return None
    secrets = SecretStore(loaded.base_dir / "secrets", os.environ if environ is None else environ)
    try:
        return key_from(secrets.read(secret.name).reveal(), f"secret `{secret.name}`")
    except ConfigurationError as error:
        return UnreadableKey(" ".join(part for part in (error.what, error.remedy) if part))


def key_from(text: str, name: str) -> EncryptionKey:
    """The key that a text holds, 32 bytes in base64; raises ConfigurationError that never repeats it."""
    secret = secret_in(text, KEY_BYTES)
    if secret is None:
        raise ConfigurationError(
            f"{name} is no key: it must be {KEY_BYTES} bytes in base64",
            remedy="`edged privacy new-key` makes one.",
        )
    return EncryptionKey(secret, random_bytes)


def new_key() -> str:
    """A key as the configuration's secret has it."""
    return text_of(random_bytes(KEY_BYTES))


def bring_into_force(
    data_dir: Path,
    namespaces: Iterable[str],
    key: EncryptionKey | None,
    clock: Clock,
    new_id: Callable[[], str],
    tell: Tell,
) -> None:
    """Have every namespace be as the configuration says; to be called before anything else opens them.

    What is plain is encrypted where there is a key, and what a crash left of a conversion is cleared.
    Raises ConfigurationError where one of `namespaces` is encrypted and the key is missing or another one.
    A database that cannot be read is left to whoever watches it.
    """
    served = tuple(dict.fromkeys(namespaces))
    others = [name for name in namespaces_in(data_dir) if name not in served]
    for namespace in (*served, *others):
        path = namespace_path(data_dir, namespace)
        try:
            if is_there(path):
                opening = partial(_opened, path, clock, new_id, key, may_recover=namespace in served)
                _bring_one(namespace, opening, key, clock, tell)
        except StoreError as error:
            if error.fault is StoreFault.SEALED and namespace in served:
                raise ConfigurationError(error.what, remedy=error.remedy) from error
            _LOG.error("namespace %s: its encryption was not looked after: %s", namespace, error)


def _opened(
    path: Path, clock: Clock, new_id: Callable[[], str], key: EncryptionKey | None, *, may_recover: bool
) -> NamespaceStore:
    try:
        require_content(path)
        return NamespaceStore.open(path, clock, new_id, key=key)
    except StoreError as error:
        if error.fault is not StoreFault.CORRUPT or not may_recover:
            raise
        store, _ = open_or_recover(path, clock, new_id, key)
        return store


def _bring_one(
    namespace: str, opening: Callable[[], NamespaceStore], key: EncryptionKey | None, clock: Clock, tell: Tell
) -> None:
    with opening() as store:
        is_sealed = seal_of(store.connection).is_sealed
        require_open(seal_of(store.connection))
        if not is_sealed and key is not None:
            done = convert(namespace, store, key, clock, tell)
            _LOG.warning("namespace %s: %d pictures and embeddings were encrypted", namespace, done.blobs)
        if not is_swept(store):
            for warning in swept(namespace, store, clock, tell):
                _LOG.warning("namespace %s: %s", namespace, warning)


def needs_conversion(store: NamespaceStore, opening: EncryptionKey, target: EncryptionKey | None) -> bool:
    """Whether a store that was opened without a key is not yet as `target` says; it can be read then.

    Raises StoreError (SEALED) where neither key is the file's.
    """
    if not take_key(store, None).is_sealed:
        return target is not None
    try:
        if target is not None and take_key(store, target).is_sealed:
            return False
    except StoreError as error:
        if error.fault is not StoreFault.SEALED:
            raise
    take_key(store, opening)
    return True


def convert(
    namespace: str,
    store: NamespaceStore,
    key: EncryptionKey | None,
    clock: Clock,
    tell: Tell,
    *,
    may_discard: bool = False,
) -> Resealed:
    """Encrypt a namespace's pictures and embeddings with a key, or decrypt them; raises StoreError."""
    began_ms = clock.moment().steady_ms
    work = "Decrypting" if key is None else "Encrypting"

    def told(done: int, total: int) -> None:
        elapsed_ms = clock.moment().steady_ms - began_ms
        tell(Progress(namespace, done, total, elapsed_ms, work, "pictures and embeddings"))

    return reseal(store, key, told, may_discard=may_discard)


def swept(namespace: str, store: NamespaceStore, clock: Clock, tell: Tell) -> list[str]:
    """Clear what is left of before a conversion; returns what could not be, and damaged copies, in words."""
    began_ms = clock.moment().steady_ms

    def tick() -> None:
        elapsed_ms = clock.moment().steady_ms - began_ms
        tell(Progress(namespace, 0, 1, elapsed_ms, "Clearing readable copies", "files"))

    warnings = list(sweep_copies(store, tick))
    warnings += [
        f"{copy}, a damaged copy, is as it was when it was put aside; delete it"
        for copy in damaged_copies(store.path)
    ]
    return warnings
