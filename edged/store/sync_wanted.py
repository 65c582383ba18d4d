"""What a member wants of one person, done at the authority: all of it, or nothing."""

import math
import re
import sqlite3
from dataclasses import dataclass
from typing import Final

import msgspec
import numpy as np

from edged.domain.embedder import EmbedderInUse
from edged.domain.errors import IdentityError, StoreError
from edged.domain.identity import checked_custom_id, checked_name
from edged.replication.people import SharedFace
from edged.replication.statements import Wanted
from edged.store.history_enrolment import merge_identity, take_faces_out
from edged.store.namespace_chips import chip_from_png, keep_blobs
from edged.store.namespace_removal import delete_people
from edged.store.namespace_store import NamespaceStore, next_revision

_FACES: Final = msgspec.msgpack.Decoder(tuple[SharedFace, ...])
_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_HASH: Final = re.compile(r"[0-9a-f]{64}")
_SOURCE_LIMIT: Final = 300
_LEAST_VECTOR_BYTES: Final = 64
_MOST_VECTOR_BYTES: Final = 16_384
_VALUE_BYTES: Final = 4
_OFF_UNIT: Final = 0.01
_LAST_MS: Final = 2**53


def is_id(text: str) -> bool:
    """Whether it is a UUID as identities and faces have them."""
    return _UUID.fullmatch(text) is not None


class WantedError(Exception):
    """It cannot be done; nothing was changed.

    Attributes:
        why: in words that may be read by whoever runs the broker: nothing of the person.
    """

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was done.

    Attributes:
        has_changed: the people are not as before.
        has_erased: something was deleted for good: log, snapshots and unsent messages are to be swept.
        lacks_vectors: there are faces that the authority's model is to embed.
    """

    has_changed: bool = False
    has_erased: bool = False
    lacks_vectors: bool = False


def checked_wanted(wanted: Wanted, embedder: EmbedderInUse) -> None:
    """Raise WantedError for what can never be taken where this embedder is in use."""
    ids = (wanted.identity_id, *wanted.remove_faces, *(() if wanted.heir is None else (wanted.heir,)))
    if not all(is_id(each) for each in ids) or not _HASH.fullmatch(wanted.model):
        raise WantedError("its ids are not well formed")
    if wanted.created_ms is not None and not 0 <= wanted.created_ms <= _LAST_MS:
        raise WantedError("its time is not well formed")
    try:
        for check, text in ((checked_name, wanted.name), (checked_custom_id, wanted.custom_id or None)):
            if text is not None and check(text) != text:
                raise WantedError("its name or customId is not as they are kept")
    except IdentityError:
        raise WantedError("its name or customId is not well formed") from None
    faces = faces_of(wanted)
    for face in faces:
        _check_face(face)
        _check_use(face, wanted.model, embedder)
    if len({face.id for face in faces}) != len(faces):
        raise WantedError("a face is there twice")


def faces_of(wanted: Wanted) -> tuple[SharedFace, ...]:
    """The new faces; raises WantedError where they cannot be read."""
    if not wanted.add_faces:
        return ()
    try:
        return _FACES.decode(wanted.add_faces)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise WantedError("its faces cannot be read") from None


def apply_wanted(store: NamespaceStore, wanted: Wanted, embedder: EmbedderInUse) -> Outcome:
    """Do what was checked, in the caller's transaction; raises WantedError, and then nothing is changed."""
    connection = store.connection
    connection.execute("SAVEPOINT wanted")
    try:
        outcome = _Doing(store, wanted, embedder.model_hash).outcome()
    except (WantedError, IdentityError) as error:
        connection.execute("ROLLBACK TO wanted")
        connection.execute("RELEASE wanted")
        if isinstance(error, IdentityError):
            raise WantedError("its customId is taken by somebody else") from None
        raise
    connection.execute("RELEASE wanted")
    return outcome


class _Doing:
    """One proposal being done. A revision is only made where something changes."""

    def __init__(self, store: NamespaceStore, wanted: Wanted, model_hash: str) -> None:
        self._store = store
        self._connection = store.connection
        self._wanted = wanted
        self._model_hash = model_hash
        self._now_ms = store.now_ms
        self._revision = 0
        self._has_erased = False
        self._lacks_vectors = False

    def outcome(self) -> Outcome:
        wanted = self._wanted
        if wanted.remove:
            self._remove()
        elif self._is_here(wanted.identity_id):
            # Who is new to a node that joined is known here already: what is here counts.
            if wanted.created_ms is None:
                self._change()
        elif wanted.created_ms is None or self._was_here(wanted.identity_id):
            raise WantedError("the person was removed meanwhile")
        else:
            self._add(wanted.created_ms)
        return Outcome(bool(self._revision), self._has_erased, self._lacks_vectors)

    def _remove(self) -> None:
        wanted, connection = self._wanted, self._connection
        if not self._is_here(wanted.identity_id):
            return
        if wanted.heir is not None:
            if wanted.heir == wanted.identity_id or not self._is_here(wanted.heir):
                raise WantedError("the person that it is merged into is not here")
            self._stamp(wanted.heir)
            merge_identity(self._store, wanted.identity_id, wanted.heir, self._revision, self._now_ms)
            return
        person = self._store.get(wanted.identity_id)
        delete_people(connection, [person], self._next_revision(), self._now_ms)
        self._has_erased = True

    def _add(self, created_ms: int) -> None:
        wanted = self._wanted
        custom_id = wanted.custom_id or None
        self._store.require_free(custom_id)
        self._connection.execute(
            "INSERT INTO identity (id, name, custom_id, created_ms, updated_ms, revision)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (
                wanted.identity_id,
                wanted.name or "",
                custom_id,
                # Its node's clock may be ahead: nobody is changed before they are made.
                min(created_ms, self._now_ms),
                self._now_ms,
                self._next_revision(),
            ),
        )
        for face in faces_of(wanted):
            self._put_face(face)

    def _change(self) -> None:
        wanted, connection = self._wanted, self._connection
        identity_id = wanted.identity_id
        name, custom_id = connection.execute(
            "SELECT name, custom_id FROM identity WHERE id = ?", (identity_id,)
        ).fetchone()
        if wanted.name is not None and wanted.name != name:
            self._stamp(identity_id)
            connection.execute("UPDATE identity SET name = ? WHERE id = ?", (wanted.name, identity_id))
        if wanted.custom_id is not None and (wanted.custom_id or None) != custom_id:
            self._store.require_free(wanted.custom_id or None, but_for=identity_id)
            self._stamp(identity_id)
            connection.execute(
                "UPDATE identity SET custom_id = ? WHERE id = ?", (wanted.custom_id or None, identity_id)
            )
        gone = [each for each in wanted.remove_faces if self._owner(each) == identity_id]
        if gone:
            self._stamp(identity_id)
            if take_faces_out(connection, identity_id, gone, self._now_ms):
                connection.execute("UPDATE ledger SET erased_revision = revision")
                self._has_erased = True
        for face in faces_of(wanted):
            self._put_face(face)

    def _put_face(self, face: SharedFace) -> None:
        identity_id, owner = self._wanted.identity_id, self._owner(face.id)
        if owner == identity_id:
            return
        self._stamp(identity_id)
        if owner is not None:
            # Of a merge whose other half is still to come, or a face that was moved.
            self._stamp(owner)
            self._connection.execute(
                "UPDATE face SET identity = (SELECT number FROM identity WHERE id = ?) WHERE id = ?",
                (identity_id, face.id),
            )
            return
        number = self._store.insert_face(
            identity_id, face.quality, face.source, face.created_ms, face_id=face.id
        )
        # A vector of another model cannot be judged here: it might be of no size that model has.
        is_usable = face.vector is not None and self._wanted.model == self._model_hash
        vectors = [(self._wanted.model, face.vector)] if is_usable and face.vector is not None else []
        keep_blobs(self._connection, number, vectors, face.png)
        self._lacks_vectors |= not is_usable

    def _next_revision(self) -> int:
        self._revision = self._revision or next_revision(self._connection)
        return self._revision

    def _stamp(self, identity_id: str) -> None:
        self._store.touch(identity_id, self._next_revision(), self._now_ms)

    def _is_here(self, identity_id: str) -> bool:
        return _exists(self._connection, "SELECT 1 FROM identity WHERE id = ?", identity_id)

    def _was_here(self, identity_id: str) -> bool:
        return _exists(self._connection, "SELECT 1 FROM tombstone WHERE identity_id = ?", identity_id)

    def _owner(self, face_id: str) -> str | None:
        row = self._connection.execute(
            "SELECT identity.id FROM face JOIN identity ON identity.number = face.identity WHERE face.id = ?",
            (face_id,),
        ).fetchone()
        return None if row is None else str(row[0])


def _check_face(face: SharedFace) -> None:
    if not is_id(face.id) or not 0 <= face.created_ms <= _LAST_MS or len(face.source) > _SOURCE_LIMIT:
        raise WantedError("a face is not well formed")
    if not math.isfinite(face.quality) or not 0 <= face.quality <= 1:
        raise WantedError("the quality of a face is not from 0 to 1")
    if face.vector is not None:
        size = len(face.vector)
        if size % _VALUE_BYTES or not _LEAST_VECTOR_BYTES <= size <= _MOST_VECTOR_BYTES:
            raise WantedError("an embedding is of no possible size")
        length = float(np.linalg.norm(np.frombuffer(face.vector, "<f4").astype(np.float64)))
        if not abs(length - 1) <= _OFF_UNIT:
            raise WantedError("an embedding is not of unit length")
    if face.png is not None:
        try:
            # It goes to every node, and each would stumble over it.
            chip_from_png(face.png)
        except StoreError:
            raise WantedError("a crop is no PNG of a crop's size") from None


def _check_use(face: SharedFace, model: str, embedder: EmbedderInUse) -> None:
    """Somebody can be compared with it here, or with what its crop is embedded to."""
    if model != embedder.model_hash and face.png is None:
        raise WantedError("its faces were made with another model, and their crops are not shared")
    if face.vector is None and face.png is None:
        raise WantedError("a face has neither an embedding of this model nor a crop")
    if face.vector is None or model != embedder.model_hash:
        return
    if len(face.vector) != embedder.size * _VALUE_BYTES:
        raise WantedError("its embeddings are not of the model's size")


def _exists(connection: sqlite3.Connection, query: str, value: str) -> bool:
    return connection.execute(query, (value,)).fetchone() is not None
