"""Forgetting a person for good, in every file of the data folder: the one way in which edged does it.

First, in one transaction, their namespace: faces, crops, embeddings, what jobs and pictures show of them,
their tracks in groups; what is left is the bare id. Then the copies: log and snapshots. Then the outbox,
which follows the removal. Where this is cut off, whoever looks next goes on: the daemon at its start and
when it sees the removal, or the next command that removes somebody.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from edged.domain.errors import StoreError
from edged.domain.identity import Identity
from edged.store.database import open_database
from edged.store.erasures import Erasures, outbox_in
from edged.store.namespace_files import (
    NAMESPACE_SCHEMA,
    damaged_copies,
    namespace_path,
    namespaces_in,
)
from edged.store.namespace_snapshots import Snapshots
from edged.store.namespace_store import NamespaceStore
from edged.store.outbox import Outbox
from edged.store.retention import empty_log

_LOG: Final = logging.getLogger(__name__)

BEYOND_REACH: Final = (
    "messages that were sent, and what receivers keep: brokers, Home Assistant's recorder, webhooks, files",
    "exports (`edged identities export`) and backups",
    "what a file system or a flash disk keeps of overwritten blocks",
)
"""What no command of edged can erase."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was erased, or would be.

    Attributes:
        namespace: where.
        people: who.
        deleted: what went with them, by kind.
        messages: what of the outbox lost them, by kind.
        warnings: what could not be done, or is left to somebody, in words.
        is_rehearsal: nothing was changed.
    """

    namespace: str
    people: tuple[Identity, ...]
    deleted: Mapping[str, int]
    messages: Mapping[str, int]
    warnings: tuple[str, ...] = ()
    is_rehearsal: bool = False
    beyond_reach: tuple[str, ...] = field(default=BEYOND_REACH)


def erase(
    store: NamespaceStore, namespace: str, identity_ids: Sequence[str], outbox: Outbox | None
) -> Receipt:
    """Forget people for good.

    Where the outbox cannot be followed up now, they are gone from the namespace all the same, and a warning
    says who makes it good. Raises IdentityError, having changed nothing, for somebody who is not enrolled,
    and StoreError where the namespace cannot be written.
    """
    found = _mentioned(outbox, namespace, identity_ids)
    removal = store.remove(identity_ids)
    warnings = [*removal.warnings, *_copies(store.path)]
    messages: dict[str, int] = {}
    if outbox is not None:
        try:
            # Where a running daemon was quicker there is nothing left to do, and it is told what there was.
            messages = Erasures(outbox).finish(namespace, store.connection).counted() or found
        except StoreError as error:
            warnings.append(
                f"messages that wait may still name them ({error.what}): the daemon takes them out when it"
                " can, at its next start at the latest"
            )
    return Receipt(namespace, removal.identities, removal.deleted, messages, tuple(warnings))


def rehearse(
    store: NamespaceStore, namespace: str, identity_ids: Sequence[str], outbox: Outbox | None
) -> Receipt:
    """What `erase` would do; changes nothing."""
    removal = store.rehearse_removal(identity_ids)
    messages = _mentioned(outbox, namespace, identity_ids)
    warnings = tuple(_copies(store.path))
    return Receipt(namespace, removal.identities, removal.deleted, messages, warnings, is_rehearsal=True)


def swept(store: NamespaceStore, namespace: str, data_dir: Path) -> list[str]:
    """Clear log, snapshots and unsent messages of who was deleted; what could not be done, in words."""
    warnings = list(store.sweep())
    outbox = outbox_in(data_dir)
    if outbox is None:
        return warnings
    with closing(outbox):
        try:
            Erasures(outbox).finish(namespace, store.connection)
        except StoreError as error:
            warnings.append(f"messages that wait may still name them ({error.what})")
    return warnings


def _mentioned(outbox: Outbox | None, namespace: str, identity_ids: Sequence[str]) -> dict[str, int]:
    """Messages that wait and mention people, by kind; none where that cannot be seen."""
    try:
        return {} if outbox is None else outbox.mentions_of(namespace, identity_ids).counted()
    except StoreError:
        return {}


def follow_up(data_dir: Path, outbox: Outbox) -> None:
    """Finish what a crash cut off, in all namespaces, before anything of the outbox is sent."""
    erasures = Erasures(outbox)
    for namespace in namespaces_in(data_dir):
        path = namespace_path(data_dir, namespace)
        try:
            with closing(open_database(path, NAMESPACE_SCHEMA, may_create=False)) as connection:
                erasures.finish(namespace, connection)
                Snapshots(path).tidy(connection)
                empty_log(connection)
        except StoreError as error:
            # The start goes on: a damaged file is dealt with, and followed, by whoever watches it.
            _LOG.error("namespace %s: traces of removed people may be left: %s", namespace, error)


def _copies(path: Path) -> Iterable[str]:
    """Where people may be left that nobody can take out of."""
    for copy in damaged_copies(path):
        yield f"{copy}, a damaged copy, may still hold them; delete it"
    for copy in sorted(path.parent.parent.glob("outbox.db.corrupt-*")):
        yield f"{copy}, a damaged copy, may still name them; delete it"
