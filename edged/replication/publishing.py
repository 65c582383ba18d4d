"""What the authority decides: how buckets become pages, and what a manifest that is on the broker means."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Literal

from edged.replication.keys import NamespaceKey
from edged.replication.people import page_name, page_place, parts_of
from edged.replication.refusal import Refusal, RefusedError
from edged.replication.statement import StatementKind, taken_apart
from edged.replication.statements import Manifest, PageEntry, name_of


@dataclass(frozen=True, slots=True)
class Terms:
    """What a manifest says besides who is in it; another one is another epoch.

    Attributes:
        model: hash of the embedder.
        proposals: what becomes of what other nodes propose.
        has_chips: aligned crops are shared.
        shares_groups: groups of unknown people are shared.
    """

    model: str
    proposals: Literal["auto", "ask"]
    has_chips: bool
    shares_groups: bool


def terms_of(manifest: Manifest) -> Terms:
    """The terms that a manifest has."""
    return Terms(manifest.model, manifest.proposals, manifest.has_chips, manifest.shares_groups)


@dataclass(frozen=True, slots=True)
class BucketPages:
    """A bucket as it goes out.

    Attributes:
        content_hash: SHA-256 of its content, 32 bytes.
        entries: its pages, in their order.
    """

    content_hash: bytes
    entries: tuple[PageEntry, ...]


def sealed_pages(
    key: NamespaceKey, namespace: str, bucket: int, content: bytes
) -> Iterator[tuple[PageEntry, bytes]]:
    """The pages of a bucket with their sealed bytes, one at a time; always the same for the same content."""
    for part, piece in enumerate(parts_of(content)):
        sealed = key.seal(piece, page_place(namespace, bucket, part))
        yield PageEntry(bucket, part, page_name(sealed), len(sealed)), sealed


def entries_by_bucket(pages: Iterable[PageEntry]) -> dict[int, tuple[PageEntry, ...]]:
    """A manifest's pages, by their bucket."""
    found: dict[int, tuple[PageEntry, ...]] = {}
    for entry in pages:
        found[entry.bucket] = (*found.get(entry.bucket, ()), entry)
    return found


def largest_page_bytes(manifest: Manifest) -> int:
    """Of the manifest's largest page; 0 without any."""
    return max((entry.bytes for entry in manifest.pages), default=0)


class Found(Enum):
    """What a manifest is that somebody published."""

    OURS = auto()
    """The one in force."""
    OLDER = auto()
    """An earlier one of this authority: what came after it is to be published."""
    NEWER = auto()
    """A later one of this authority, which this database has forgotten: it is to be taken over."""
    OVERRULED = auto()
    """Another writer's, of the epoch in force here, and the owner settled that this node is the right one."""
    SPLIT = auto()
    """Another node writes with this authority's key."""
    SUCCEEDED = auto()
    """The successor's: this node is the authority no more."""


@dataclass(frozen=True, slots=True)
class OwnEpoch:
    """Where the authority stands, for `judged`.

    Attributes:
        epoch: in force; 0: none.
        name: its manifest's hash, in hex; empty: none.
        successor: the key that it named as the next one, in hex; empty: none.
        started_ms: when this run began, UTC milliseconds.
        has_changes: something is changed that was not published.
        is_restored: its owner said that the database is a backup.
    """

    epoch: int
    name: str
    successor: str
    started_ms: int
    has_changes: bool
    is_restored: bool


def judged(payload: bytes, namespace: str, authority: bytes, own: OwnEpoch) -> tuple[Found, Manifest]:
    """What a manifest that came means to the authority with this key.

    Raises RefusedError for what is none, or is of somebody else: it does not count.
    """
    statement = taken_apart(StatementKind.MANIFEST, payload)
    if statement.is_by(authority):
        manifest = statement.body(Manifest)
    elif own.successor and statement.is_by(bytes.fromhex(own.successor)):
        manifest = statement.body(Manifest)
        if manifest.namespace == namespace and manifest.epoch > own.epoch:
            return Found.SUCCEEDED, manifest
        raise RefusedError(Refusal.OLD, "a manifest of the successor is of no later epoch")
    else:
        raise RefusedError(
            Refusal.UNSIGNED, "a manifest came that is not signed by this node: somebody else publishes"
        )
    if manifest.namespace != namespace:
        raise RefusedError(Refusal.OTHER_NAMESPACE, "a manifest of another namespace came")
    return _of_own_key(name_of(payload), manifest, own), manifest


def _of_own_key(name: str, manifest: Manifest, own: OwnEpoch) -> Found:
    if name == own.name:
        return Found.OURS
    if manifest.epoch < own.epoch:
        return Found.OLDER
    if own.is_restored:
        return Found.NEWER if manifest.epoch > own.epoch else Found.OVERRULED
    if manifest.epoch == own.epoch or own.has_changes or manifest.issued_at >= own.started_ms:
        return Found.SPLIT
    return Found.NEWER


def is_rotation_due(
    *,
    erased_epoch: int,
    sealed_since: int,
    swept_epochs: Iterable[int],
    age_ms: int,
    rotate_every_ms: int | None,
) -> bool:
    """Whether the namespace's key is to be changed by itself: everybody confirmed that somebody is forgotten.

    Args:
        erased_epoch: the last epoch that took somebody out.
        sealed_since: the first epoch of the key in use.
        swept_epochs: what each member confirmed.
        age_ms: of the key; below 0: the clock was ahead when it was made, so that its age is not known.
        rotate_every_ms: not more often than that; None: never by itself.
    """
    return (
        rotate_every_ms is not None
        and erased_epoch > sealed_since
        and not 0 <= age_ms < rotate_every_ms
        and all(swept >= erased_epoch for swept in swept_epochs)
    )


def unlisted(before: Manifest | None, after: Mapping[int, BucketPages]) -> set[str]:
    """Names of pages that a manifest listed, and that none of these buckets has any more."""
    if before is None:
        return set()
    listed = {entry.sha256 for bucket in after.values() for entry in bucket.entries}
    return {entry.sha256 for entry in before.pages} - listed
