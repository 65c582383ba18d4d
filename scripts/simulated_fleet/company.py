"""The authority of the company: a namespace with people in it, and its epochs, made by the real code."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import simulated_fleet  # noqa: F401 - lets the tests' builders be imported
from builders.namespaces import MODEL, HandClock, Ids
from edged.domain.face import EMBEDDING_SIZE
from edged.domain.identity import NewFace
from edged.replication.keys import NamespaceKey, NodeKeys, envelope_place
from edged.replication.publishing import Terms
from edged.replication.statements import Manifest
from edged.store.database import reading, transaction
from edged.store.namespace_files import namespace_path
from edged.store.namespace_store import NamespaceStore
from edged.store.sync_founding import found
from edged.store.sync_pages import pages_again
from edged.store.sync_publishing import Order, Writer, manifest_in, write_next_epoch
from edged.store.sync_records import envelopes

NAMESPACE = "company"
NODE = "head-office"


@dataclass(frozen=True, slots=True)
class Epoch:
    """An epoch as it goes out: the manifest as payload and as value, and the pages that are new in it."""

    payload: bytes
    manifest: Manifest
    pages: dict[str, bytes]


class Company:
    """One authority with a database in a folder. Time is handed in, chance is the same in every run."""

    def __init__(self, folder: Path, people: int, faces: int) -> None:
        self._count = 0
        self._clock = HandClock()
        self.keys = NodeKeys(hashlib.sha256(NODE.encode()).digest())
        self.store = NamespaceStore.open(namespace_path(folder, NAMESPACE), self._clock, Ids(NODE))
        self._enrol(people, faces)
        with transaction(self.store.connection) as connection:
            generation = found(connection, NAMESPACE, NODE, self.keys, 1, self._chance)
            place = envelope_place(NAMESPACE, NODE, generation)
            secret = self.keys.open_envelope(envelopes(connection)[generation], place)
        self.key = NamespaceKey(secret, generation)
        self._published: set[str] = set()

    def rename(self, count: int) -> None:
        """Change the names of so many people, in one change."""
        self._count += 1
        with self.store.change() as (revision, now_ms):
            for identity in self.store.identities()[:count]:
                self.store.connection.execute(
                    "UPDATE identity SET name = ?, revision = ?, updated_ms = ? WHERE id = ?",
                    (f"Renamed {self._count}", revision, now_ms, identity.id),
                )

    def rename_one(self, place: int) -> None:
        """Change the name of one person, by their place among the names of the start."""
        self._count += 1
        with self.store.change() as (revision, now_ms):
            self.store.connection.execute(
                "UPDATE identity SET name = ?, revision = ?, updated_ms = ? WHERE custom_id = ?",
                (f"Renamed {self._count}", revision, now_ms, f"E{place:06}"),
            )

    def next_epoch(self) -> Epoch:
        """Make an epoch of what was changed since the last one."""
        self._clock.ms += 1000
        writer = Writer(NAMESPACE, NODE, "1", self.keys.authority)
        terms = Terms(MODEL, "auto", has_chips=False, shares_groups=False)
        record = write_next_epoch(
            self.store.connection, Order(writer, terms, self.key, self._clock.moment().utc_ms)
        )
        manifest = manifest_in(record)
        if record is None or manifest is None:
            raise RuntimeError("the authority made no epoch")
        fresh = {entry.bucket for entry in manifest.pages if entry.sha256 not in self._published}
        with reading(self.store.connection) as connection:
            pages = {
                entry.sha256: sealed
                for entry, sealed in pages_again(connection, NAMESPACE, self.key, manifest, fresh)
                if entry.sha256 not in self._published
            }
        self._published |= pages.keys()
        return Epoch(record.manifest, manifest, pages)

    def _enrol(self, people: int, faces: int) -> None:
        random = np.random.default_rng(1)
        with self.store.change() as (revision, now_ms):
            for number in range(people):
                identity_id = self.store.insert_identity(
                    f"Somebody {number:05}", f"E{number:06}", revision, now_ms
                )
                for vector in random.standard_normal((faces, EMBEDDING_SIZE), np.float32):
                    unit = vector / np.linalg.norm(vector)
                    face = NewFace(MODEL, unit, None, 0.75, "portrait.jpg")
                    row = self.store.insert_face(identity_id, face.quality, face.source, now_ms)
                    self.store.keep_of_face(row, face)

    def _chance(self, count: int) -> bytes:
        self._count += 1
        return hashlib.shake_256(f"{NODE} {self._count}".encode()).digest(count)
