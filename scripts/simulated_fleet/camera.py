"""Cameras that follow the company: every check of a member, with a database and without one."""

from collections.abc import Callable
from pathlib import Path

from builders.namespaces import MODEL, HandClock, Ids
from edged.replication.following import Accepted, Follower, InForce, accepted, stale_buckets
from edged.replication.keys import NamespaceKey
from edged.replication.people import content_hash, page_name, page_place, people_of, whole_digest
from edged.replication.statement import StatementKind, taken_apart
from edged.replication.statements import Manifest, PageEntry
from edged.store.database import transaction
from edged.store.namespace_files import namespace_path
from edged.store.namespace_store import NamespaceStore
from edged.store.sync_applying import apply_epoch, lacking
from edged.store.sync_staging import stage
from simulated_fleet.company import NAMESPACE

Fetch = Callable[[str], bytes]
_known_hashes: dict[str, dict[int, bytes]] = {}
"""Of each manifest, so that ten thousand cameras in step keep the same ones once."""


class WrongError(Exception):
    """A camera did not end up with what the manifest says."""


class LightCamera:
    """A member without a database: it verifies, opens and reads everything, and keeps hashes only."""

    def __init__(self, authority: bytes, key: NamespaceKey) -> None:
        self._follower = Follower(NAMESPACE, authority, MODEL)
        self._key = key
        self.in_force = InForce()
        self._payload = b""
        self._hashes: dict[int, bytes] = {}
        self._taken: Accepted | None = None

    def be_like(self, other: "LightCamera") -> None:
        """Have in force what another camera verified."""
        self.in_force = other.in_force
        self._payload, self._hashes = other._payload, other._hashes  # noqa: SLF001 - one of its own

    def told(self, payload: bytes) -> list[PageEntry]:
        """A manifest came; gives the pages that are lacking for it."""
        self._taken = accepted(payload, self._follower, self.in_force)
        if self._taken is None:
            return []
        before = None
        if self._payload:
            before = taken_apart(StatementKind.MANIFEST, self._payload).body(Manifest)
        stale = stale_buckets(self._taken.manifest, before, self._hashes)
        return [entry for entry in self._taken.manifest.pages if entry.bucket in stale]

    def finish(self, lacking_pages: list[PageEntry], fetch: Fetch) -> None:
        """Take the pages that were lacking; raises WrongError, RefusedError."""
        if self._taken is None:
            return
        manifest = self._taken.manifest
        contents: dict[int, bytes] = {}
        for entry in lacking_pages:
            sealed = fetch(entry.sha256)
            if len(sealed) != entry.bytes or page_name(sealed) != entry.sha256:
                raise WrongError(f"page {entry.sha256} is another one")
            plain = self._key.open(sealed, page_place(NAMESPACE, entry.bucket, entry.part))
            contents[entry.bucket] = contents.get(entry.bucket, b"") + plain
        for content in contents.values():
            people_of(content)
        hashes = self._hashes | {bucket: content_hash(content) for bucket, content in contents.items()}
        if whole_digest(self._key, hashes, manifest.buckets) != manifest.content:
            raise WrongError(f"epoch {manifest.epoch} does not come out as the manifest says")
        self._hashes = _known_hashes.setdefault(self._taken.name, hashes)
        if self._hashes != hashes:
            raise WrongError(f"two cameras have another epoch {manifest.epoch}")
        self._payload = self._taken.payload
        self.in_force = InForce(manifest.epoch, self._taken.name)
        self._taken = None


class RealCamera:
    """A member with its database: the pages are staged, and the epoch applied in one transaction."""

    def __init__(self, folder: Path, number: int, authority: bytes, key: NamespaceKey) -> None:
        self._follower = Follower(NAMESPACE, authority, MODEL)
        self._key = key
        self._path = namespace_path(folder / f"camera-{number}", NAMESPACE)
        self._ids = Ids(f"camera {number}")
        self.store = NamespaceStore.open(self._path, HandClock(), self._ids)
        with transaction(self.store.connection) as connection:
            connection.execute(
                "INSERT INTO sync_membership (only_row, role, node, authority, since_ms)"
                " VALUES (1, 'member', ?, ?, 1)",
                (f"camera-{number}", authority),
            )
        self.in_force = InForce()

    def open_here(self) -> None:
        """Have the database opened by the thread that calls, which was closed by another one."""
        self.store = NamespaceStore.open(self._path, HandClock(), self._ids)

    def take(self, payload: bytes, fetch: Fetch) -> int:
        """Apply a manifest with the pages that are lacking; returns how many these were."""
        taken = accepted(payload, self._follower, self.in_force)
        if taken is None:
            return 0
        connection = self.store.connection
        entries = lacking(connection, taken.manifest)
        for entry in entries:
            stage(connection, [(entry.sha256, fetch(entry.sha256))], self.store.now_ms)
        apply_epoch(connection, taken, self._key, self.store.now_ms)
        self.in_force = InForce(taken.manifest.epoch, taken.name)
        return len(entries)
