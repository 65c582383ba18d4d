"""The people of one namespace, in one SQLite file."""

import logging
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from edged.domain.errors import IdentityError, StoreError, StoreFault
from edged.domain.face import Chip, Embedding
from edged.domain.identity import (
    EnrolledFace,
    GalleryChange,
    Identity,
    NewFace,
    checked_custom_id,
    checked_name,
)
from edged.domain.moment import Clock
from edged.store import namespace_queries as queries
from edged.store.database import reading, transaction
from edged.store.faults import translated
from edged.store.namespace_chips import chip_to_png, embedding_to_bytes, keep_blobs, stored_chip
from edged.store.namespace_lookup import find_identity
from edged.store.namespace_opening import open_namespace
from edged.store.namespace_removal import Removal, delete_people, rehearsal, removal
from edged.store.namespace_snapshots import Snapshots
from edged.store.sealing import Key, Kind, seal_of

_SOURCE_LIMIT: Final = 300

_LOG: Final = logging.getLogger(__name__)


class NamespaceStore:
    """Everybody enrolled in a namespace. Belongs to the thread that opened it.

    Every method that changes something is one transaction and one new revision. All raise StoreError for
    what the file or its disk does; those that are told a person raise IdentityError for one they do not know.
    """

    def __init__(
        self, path: Path, connection: sqlite3.Connection, clock: Clock, new_id: Callable[[], str]
    ) -> None:
        self.path = path
        self.snapshots = Snapshots(path)
        self.connection = connection
        self._clock = clock
        self._new_id = new_id

    @classmethod
    def open(
        cls,
        path: Path,
        clock: Clock,
        new_id: Callable[[], str],
        *,
        read_only: bool = False,
        key: Key | None = None,
    ) -> "NamespaceStore":
        """Open the file, made and migrated where needed; `new_id` gives a fresh UUID at each call.

        `key` is the one that is configured for pictures and embeddings, see `sealing.open_namespace`.
        """
        return cls(path, open_namespace(path, key, read_only=read_only), clock, new_id)

    def close(self) -> None:
        """Let go of the file."""
        self.connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    # --- reading

    @property
    def ledger(self) -> queries.Ledger:
        """The revision, and the revision of the last removal."""
        with translated(self.path):
            return queries.ledger(self.connection)

    def identities(self) -> list[Identity]:
        """Everybody, by name, each with the number of their faces."""
        with translated(self.path):
            return queries.identities(self.connection)

    def get(self, identity_id: str) -> Identity:
        """The person with this id."""
        with translated(self.path):
            found = queries.identity_of(self.connection, identity_id)
        if found is None:
            raise IdentityError(f"nobody with the id {identity_id} is enrolled")
        return found

    def find(self, reference: str) -> Identity:
        """The one person meant by an id or its beginning, a customId or a name; see `find_identity`."""
        return find_identity(self.identities(), reference)

    def faces_of(self, identity_id: str, model_hash: str) -> Sequence[EnrolledFace]:
        """A person's faces that have an embedding of the model, with their chips, the oldest first."""
        with reading(self.connection):
            return queries.faces_of(self.connection, identity_id, model_hash)

    def face_records(self, identity_id: str, *, without_broken: bool = False) -> Iterator[queries.FaceRecord]:
        """A person's faces with all that is kept of each, the oldest first, one at a time.

        Raises StoreError for what does not open; `without_broken` leaves such chips and embeddings out.
        """
        with translated(self.path):
            yield from queries.face_records(self.connection, identity_id, without_broken=without_broken)

    def models(self) -> dict[str, int]:
        """How many faces have an embedding of each model, by its hash."""
        with translated(self.path):
            return queries.models(self.connection)

    def changes_since(self, revision: int, model_hash: str) -> GalleryChange | None:
        """What became of the gallery of one model since a revision; None where nothing did.

        Revision 0 asks for everybody. So does one that this file never reached: the file was exchanged,
        and the answer's smaller revision says so; the reader then forgets what it knew.
        """
        with reading(self.connection):
            return queries.changes_since(self.connection, revision, model_hash)

    # --- changing

    def add_identity(
        self, name: str, faces: Sequence[NewFace] = (), *, custom_id: str | None = None
    ) -> Identity:
        """Enrol a person with their faces."""
        with self.change() as (revision, now_ms):
            identity_id = self.insert_identity(name, custom_id, revision, now_ms)
            self._insert_faces(identity_id, faces, now_ms)
        return self.get(identity_id)

    def add_faces(self, identity_id: str, faces: Sequence[NewFace]) -> Identity:
        """Enrol more faces of a person."""
        with self.change() as (revision, now_ms):
            self.touch(identity_id, revision, now_ms)
            self._insert_faces(identity_id, faces, now_ms)
        return self.get(identity_id)

    def rename(self, identity_id: str, name: str) -> Identity:
        """Give a person another name."""
        name = checked_name(name)
        with self.change() as (revision, now_ms):
            self.touch(identity_id, revision, now_ms)
            self.connection.execute("UPDATE identity SET name = ? WHERE id = ?", (name, identity_id))
        return self.get(identity_id)

    def set_custom_id(self, identity_id: str, custom_id: str | None) -> Identity:
        """Set what another program calls a person, or take it away."""
        custom_id = None if custom_id is None else checked_custom_id(custom_id)
        with self.change() as (revision, now_ms):
            self.touch(identity_id, revision, now_ms)
            self.require_free(custom_id, but_for=identity_id)
            self.connection.execute(
                "UPDATE identity SET custom_id = ? WHERE id = ?", (custom_id, identity_id)
            )
        return self.get(identity_id)

    def remove(self, identity_ids: Iterable[str]) -> Removal:
        """Forget people for good: faces, chips, embeddings and history, here and in every snapshot.

        What is left is a tombstone, the bare id. The snapshots are exchanged for one made afterwards.
        """
        with self.change() as (revision, now_ms):
            people = self._known_people(identity_ids)
            deleted = delete_people(self.connection, people, revision, now_ms)
        snapshots = len(self.snapshots.newest_first())
        return removal(people, deleted, snapshots, self.sweep())

    def rehearse_removal(self, identity_ids: Iterable[str]) -> Removal:
        """What `remove` would do. It is done, counted and taken back: nothing is changed."""
        with rehearsal(self.change) as (revision, now_ms):
            people = self._known_people(identity_ids)
            deleted = delete_people(self.connection, people, revision, now_ms)
        return removal(people, deleted, len(self.snapshots.newest_first()), ())

    def _known_people(self, identity_ids: Iterable[str]) -> tuple[Identity, ...]:
        return tuple(self.get(identity_id) for identity_id in dict.fromkeys(identity_ids))

    def empty_log(self) -> bool:
        """Move the write-ahead log into the file and cut it to nothing; False where a reader holds it."""
        with translated(self.path):
            ((busy, _, _),) = self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        return not busy

    def swept_log(self) -> Iterator[str]:
        """After a removal: let nothing of the removed be left in the log; yields what could not be done."""
        try:
            if not self.empty_log():
                yield f"{self.path}-wal still holds traces: another program was reading; the daemon clears it"
        except StoreError as error:
            yield f"{self.path}-wal still holds traces: {error.what}"

    def sweep(self) -> Iterator[str]:
        """After a removal: let no copy of the removed lie about; yields what could not be done."""
        yield from self.swept_log()
        try:
            self.snapshots.start_afresh(self.connection, self._clock.moment().utc_ms)
        except StoreError as error:
            yield f"no new snapshot was made: {error.what}"

    # --- embedding again

    def chips_without(self, model_hash: str) -> Iterator[tuple[str, Chip]]:
        """Faces that have a chip and no embedding of the model: (face id, chip), one at a time."""
        with translated(self.path):
            rows = self.connection.execute(
                """
                SELECT number, id FROM face JOIN chip ON chip.face = number
                WHERE NOT EXISTS
                    (SELECT 1 FROM embedding WHERE embedding.face = number AND model_hash = ?)
                ORDER BY number
                """,
                (model_hash,),
            ).fetchall()
            for number, face_id in rows:
                try:
                    chip = stored_chip(self.connection, number)
                except StoreError as error:
                    if error.fault is StoreFault.SEALED:
                        raise
                    # One damaged chip must not keep all others from a new model.
                    _LOG.error("%s: face %s: %s", self.path, face_id, error.what)
                    continue
                if chip is not None:
                    yield face_id, chip

    def without_model(self, model_hash: str) -> list[Identity]:
        """People who have faces, and none with an embedding of the model: they are not recognised."""
        with translated(self.path):
            return queries.without_model(self.connection, model_hash)

    def add_embeddings(self, model_hash: str, embeddings: Sequence[tuple[str, Embedding]]) -> None:
        """Keep what a model made of faces that are enrolled already: (face id, embedding).

        Faces that were removed meanwhile are passed over.
        """
        with self.change() as (revision, _):
            seal = seal_of(self.connection)
            for face_id, embedding in embeddings:
                vector = embedding_to_bytes(embedding)
                self.connection.execute(
                    "INSERT OR REPLACE INTO embedding (face, model_hash, vector)"
                    " SELECT number, ?, ? FROM face WHERE id = ?",
                    (model_hash, seal.close(Kind.FACE_EMBEDDING, face_id, vector, model_hash), face_id),
                )
                self.connection.execute(
                    "UPDATE identity SET revision = ?"
                    " WHERE number = (SELECT identity FROM face WHERE id = ?)",
                    (revision, face_id),
                )

    # --- within a transaction

    @property
    def now_ms(self) -> int:
        """The time that is written down, UTC milliseconds."""
        return self._clock.moment().utc_ms

    @contextmanager
    def change(self) -> Iterator[tuple[int, int]]:
        """A transaction that is one change; gives its revision and its time, UTC milliseconds."""
        with transaction(self.connection):
            revision = next_revision(self.connection)
            yield revision, self.now_ms

    def _known(self, identity_id: str) -> Identity:
        return self.get(identity_id)

    def insert_identity(self, name: str, custom_id: str | None, revision: int, now_ms: int) -> str:
        """Enrol a person without faces, within a change; returns the id."""
        name = checked_name(name)
        custom_id = None if custom_id is None else checked_custom_id(custom_id)
        self.require_free(custom_id)
        identity_id = self._new_id()
        self.connection.execute(
            "INSERT INTO identity (id, name, custom_id, created_ms, updated_ms, revision)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (identity_id, name, custom_id, now_ms, now_ms, revision),
        )
        return identity_id

    def touch(self, identity_id: str, revision: int, now_ms: int) -> None:
        """Stamp a person as changed, within a change."""
        self._known(identity_id)
        self.connection.execute(
            "UPDATE identity SET revision = ?, updated_ms = ? WHERE id = ?", (revision, now_ms, identity_id)
        )

    def require_free(self, custom_id: str | None, *, but_for: str = "") -> None:
        """Raise IdentityError where somebody else has the customId."""
        taken = self.connection.execute(
            "SELECT id, name FROM identity WHERE custom_id = ? AND id <> ?", (custom_id, but_for)
        ).fetchone()
        if taken:
            raise IdentityError(
                f"the customId {custom_id!r} is taken by {taken[1] or 'somebody'} ({taken[0]})"
            )

    def insert_face(
        self, identity_id: str, quality: float, source: str, now_ms: int, *, face_id: str | None = None
    ) -> int:
        """Enrol the bare row of a face, within a change; returns its number."""
        cursor = self.connection.execute(
            "INSERT INTO face (id, identity, quality, source, created_ms)"
            " SELECT ?, number, ?, ?, ? FROM identity WHERE id = ?",
            (face_id or self._new_id(), quality, source[:_SOURCE_LIMIT], now_ms, identity_id),
        )
        return cursor.lastrowid or 0

    def keep_of_face(self, number: int, face: NewFace) -> None:
        """Keep the embedding and the chip of a face just enrolled, within a change."""
        png = None if face.chip is None else chip_to_png(face.chip)
        keep_blobs(self.connection, number, [(face.model_hash, embedding_to_bytes(face.embedding))], png)

    def _insert_faces(self, identity_id: str, faces: Sequence[NewFace], now_ms: int) -> None:
        for face in faces:
            self.keep_of_face(self.insert_face(identity_id, face.quality, face.source, now_ms), face)


def next_revision(connection: sqlite3.Connection) -> int:
    """Count one change more, in the writer's transaction that makes it; returns its revision."""
    ((revision,),) = connection.execute(
        "UPDATE ledger SET revision = revision + 1 RETURNING revision"
    ).fetchall()
    return int(revision)
