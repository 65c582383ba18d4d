"""What a member decides: which manifest it takes, whom it believes, which pages it lacks, when to ask again.

A manifest is taken when who is believed signed it, or who was given the namespace by them, and so on; when it
is of this namespace, of a later epoch than the one in force, of an embedder that is of use here, and well
formed. What a broker keeps, or replays, or mixes up, can fail to be taken, and can do nothing else.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from edged.replication.people import MOST_BUCKETS
from edged.replication.refusal import Refusal, RefusedError
from edged.replication.statement import Statement, StatementKind, taken_apart
from edged.replication.statements import Handover, Manifest, PageEntry, name_of

MOST_HANDOVERS: Final = 64
"""A longer chain is none: every one of them is a signature to be checked."""
MOST_BUCKET_BYTES: Final = 32_000_000
"""Of a bucket's pages, which are in memory at once while it is applied."""
MOST_BYTES: Final = 2_400_000_000
"""Of all pages: as much as a manifest of the largest size can list."""
_LATEST_MS: Final = 600_000
"""A page that does not come is asked for at least so often."""


@dataclass(frozen=True, slots=True)
class InForce:
    """The epoch that a node has applied.

    Attributes:
        epoch: its number; 0: none.
        name: its manifest's hash, in hex; empty: none.
    """

    epoch: int = 0
    name: str = ""


@dataclass(frozen=True, slots=True)
class Follower:
    """What a member goes by.

    Attributes:
        namespace: which.
        authority: the key that is believed, 32 bytes.
        model_hash: of this node's embedder.
        can_embed: faces of another embedder are embedded anew, where their crops are shared.
    """

    namespace: str
    authority: bytes
    model_hash: str
    can_embed: bool = False


@dataclass(frozen=True, slots=True)
class Accepted:
    """A manifest that is taken.

    Attributes:
        manifest: what it says.
        payload: as it came.
        name: its hash, in hex.
        authority: the key that is believed from here on, 32 bytes.
    """

    manifest: Manifest
    payload: bytes
    name: str
    authority: bytes


def accepted(payload: bytes, follower: Follower, in_force: InForce) -> Accepted | None:
    """The manifest that came, where it is to be applied; None where it is the one in force.

    Raises RefusedError: nothing is to be applied.
    """
    statement = taken_apart(StatementKind.MANIFEST, payload)
    name = name_of(payload)
    if name == in_force.name:
        # It was applied; this node may have another embedder since.
        _require_model(statement.body(Manifest), follower)
        return None
    # Whose it is comes before what it says: nothing of a stranger's is read further than its key.
    manifest, authority = _believed(statement, follower, in_force)
    if manifest.namespace != follower.namespace:
        raise RefusedError(
            Refusal.OTHER_NAMESPACE, f"the manifest is of the namespace {manifest.namespace!r}"
        )
    if manifest.epoch < in_force.epoch:
        raise RefusedError(
            Refusal.OLD,
            f"the broker has epoch {manifest.epoch}, and {in_force.epoch} is in force: it lost the newer one,"
            " or somebody replays an older one",
        )
    if manifest.epoch == in_force.epoch:
        raise RefusedError(
            Refusal.SPLIT,
            f"there are two different epochs {manifest.epoch}: two nodes write as the authority",
        )
    require_well_formed(manifest)
    _require_model(manifest, follower)
    return Accepted(manifest, payload, name, authority)


def _require_model(manifest: Manifest, follower: Follower) -> None:
    """Raise RefusedError (OTHER_MODEL) where this node could recognise nobody by a manifest's people."""
    if manifest.model != follower.model_hash and not (manifest.has_chips and follower.can_embed):
        raise RefusedError(
            Refusal.OTHER_MODEL,
            f"epoch {manifest.epoch} was made with the embedder {manifest.model[:12]}, and this node's is"
            f" {follower.model_hash[:12]}",
        )


def _believed(statement: Statement, follower: Follower, in_force: InForce) -> tuple[Manifest, bytes]:
    """The manifest, and who signed it, where that one may speak."""
    if statement.is_by(follower.authority):
        manifest = statement.body(Manifest)
        if manifest.authority != follower.authority.hex():
            raise RefusedError(
                Refusal.MALFORMED, "the manifest names another key than the one it is signed by"
            )
        return manifest, follower.authority
    manifest = statement.body(Manifest)
    key = heir_of(follower.authority, manifest, follower.namespace, in_force.epoch)
    if key is None:
        raise RefusedError(
            Refusal.UNSIGNED,
            "the manifest on the broker is not signed by the authority that this node believes",
        )
    statement.require(key)
    return manifest, key


def heir_of(believed: bytes, manifest: Manifest, namespace: str, epoch: int) -> bytes | None:
    """The key that a manifest is to be signed by, where a chain of handovers leads there from `believed`.

    Args:
        believed: whom this node believes, 32 bytes.
        manifest: not believed yet; it carries the chain.
        namespace: which.
        epoch: in force here. A handover for an earlier one is over: its giver has spoken since.

    Returns:
        None where nothing leads there.
    """
    if len(manifest.handovers) > MOST_HANDOVERS or manifest.namespace != namespace:
        return None
    speaker, after = believed, epoch
    for text in manifest.handovers:
        try:
            statement = taken_apart(StatementKind.HANDOVER, text.encode())
            said = statement.body(Handover)
        except RefusedError:
            return None
        if said.from_key != speaker.hex() or said.after_epoch < after:
            # Of before this node's time, or another branch.
            continue
        if said.namespace != namespace or not statement.is_by(speaker):
            return None
        speaker, after = bytes.fromhex(said.to_key), said.after_epoch
    is_there = speaker != believed and speaker.hex() == manifest.authority and after < manifest.epoch
    return speaker if is_there else None


def require_well_formed(manifest: Manifest) -> None:
    """Raise RefusedError where the pages of a manifest cannot be a namespace."""
    if manifest.buckets & (manifest.buckets - 1) or manifest.buckets > MOST_BUCKETS:
        raise RefusedError(Refusal.MALFORMED, f"a manifest has {manifest.buckets} buckets, no power of two")
    expected, bucket_bytes, whole_bytes = (0, 0), 0, 0
    for entry in manifest.pages:
        if (entry.bucket, entry.part) == (expected[0] + 1, 0) and expected[1] > 0:
            expected, bucket_bytes = (entry.bucket, 0), 0
        if (entry.bucket, entry.part) != expected:
            raise RefusedError(
                Refusal.MALFORMED, "the pages of a manifest are not in order, or not all there"
            )
        expected = (entry.bucket, entry.part + 1)
        bucket_bytes += entry.bytes
        whole_bytes += entry.bytes
        if bucket_bytes > MOST_BUCKET_BYTES or whole_bytes > MOST_BYTES:
            raise RefusedError(Refusal.OVERSIZED, "a manifest lists more than a node can hold")
    if expected[0] != manifest.buckets - 1 or expected[1] == 0:
        raise RefusedError(Refusal.MALFORMED, "a manifest lacks the pages of some buckets")
    if len({entry.sha256 for entry in manifest.pages}) != len(manifest.pages):
        raise RefusedError(Refusal.MALFORMED, "a manifest lists a page twice")


def stale_buckets(
    manifest: Manifest, before: Manifest | None, hashes: Mapping[int, bytes | None]
) -> frozenset[int]:
    """The buckets whose pages are needed to have a manifest in force.

    Args:
        manifest: the one to be applied; the one in force, to see what is to be applied again.
        before: the one in force; None: there is none.
        hashes: content hash of each bucket in force; None of what is to be applied again.
    """
    every = frozenset(range(manifest.buckets))
    if before is None or _cut(before) != _cut(manifest):
        return every
    # A changed bucket may lose a part: compared is by the whole list of each bucket.
    then, now = _names(before.pages), _names(manifest.pages)
    return frozenset(bucket for bucket in every if hashes.get(bucket) is None or then[bucket] != now[bucket])


def _cut(manifest: Manifest) -> tuple[int, str, bool, int]:
    """What pages depend on besides their people."""
    return manifest.buckets, manifest.model, manifest.has_chips, manifest.key_generation


def _names(pages: Iterable[PageEntry]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for entry in pages:
        found.setdefault(entry.bucket, []).append(entry.sha256)
    return found


def ask_again_ms(tries: int, ask_every_ms: int, jitter: Callable[[], float]) -> int:
    """After how long something that was asked for `tries` times is asked for again.

    It doubles, up to ten minutes or `ask_every_ms`, whichever is more; a tenth is left to chance, so that
    many nodes do not ask at once. `jitter` gives 0 to below 1.
    """
    most_ms = max(_LATEST_MS, ask_every_ms)
    wait_ms = min(ask_every_ms * 2 ** min(max(tries, 1) - 1, 30), most_ms)
    return int(wait_ms * (0.9 + 0.1 * jitter()))
