"""What the API asks of a namespace: its jobs, faces and pictures, and people made of faces seen before."""

import logging
from collections.abc import Iterable, Sequence
from typing import Final

from msgspec import UNSET, UnsetType

from edged.api.requests import Search
from edged.domain.errors import IdentityError
from edged.domain.face import Chip, Embedding
from edged.domain.history import HistoryEntry, SeenFace, StoredFace
from edged.domain.identity import Identity, NewFace, checked_custom_id, checked_name
from edged.store import history_queries as queries
from edged.store.database import reading, transaction
from edged.store.group_queries import Group, group_of
from edged.store.history_enrolment import enrol_faces, enrol_picture, merge_identity, take_faces_out
from edged.store.history_writing import wanted_chips, write_entry
from edged.store.namespace_chips import chip_from_png, chip_to_png, embedding_to_bytes
from edged.store.namespace_queries import identity_of
from edged.store.namespace_store import NamespaceStore
from edged.store.sealing import Kind, seal_of

_LOG: Final = logging.getLogger(__name__)


class HistoryStore:
    """The history beside the people of a `NamespaceStore`; belongs to the same thread.

    Every method that changes something is one transaction. All raise StoreError for what the file or its disk
    does; those that change people raise IdentityError, having changed nothing, for a person or a face that is
    not there or cannot be what is asked.
    """

    def __init__(self, store: NamespaceStore) -> None:
        self.people = store
        self._connection = store.connection

    # --- writing down

    def record(self, entries: Sequence[HistoryEntry]) -> None:
        """Write down what was told of jobs.

        A telling that is older than the one kept of its job brings its faces and pictures only. What says
        somebody who was removed meanwhile is left out; what says somebody who was merged into another
        identity is written as of that one.
        """
        with reading(self._connection):
            known = queries.known_among(self._connection, {face.id for one in entries for face in one.faces})
        # Before the transaction, so that nobody waits for the encoding.
        pngs = {
            face.id: chip_to_png(face.chip) for face in wanted_chips(entries, known) if face.chip is not None
        }
        with transaction(self._connection):
            for entry in entries:
                write_entry(self._connection, entry, pngs, self.people.now_ms)

    # --- asking

    def job(self, job_id: str) -> bytes | None:
        """A job as it was told last, JSON."""
        with reading(self._connection):
            return queries.job(self._connection, job_id)

    def jobs(self, search: Search) -> list[bytes]:
        """Jobs, JSON."""
        with reading(self._connection):
            return queries.jobs(self._connection, search)

    def face(self, face_id: str) -> StoredFace | None:
        """One face, seen or enrolled."""
        return next(iter(self.faces_by([face_id])), None)

    def faces(self, search: Search) -> list[StoredFace]:
        """Faces, seen and enrolled; one that is both is one."""
        with reading(self._connection):
            return queries.faces(self._connection, search)

    def faces_by(self, face_ids: Sequence[str]) -> list[StoredFace]:
        """The faces with these ids, in their order, without those that are not there."""
        with reading(self._connection):
            return queries.faces_by(self._connection, face_ids)

    def face_png(self, face_id: str) -> bytes | None:
        """A face's aligned crop as PNG; None where none is kept, or the face is not there."""
        with reading(self._connection):
            return queries.face_png(self._connection, face_id)

    def chip(self, face_id: str) -> Chip | None:
        """The same as pixels."""
        png = self.face_png(face_id)
        return None if png is None else chip_from_png(png)

    def picture(self, image_id: str) -> bytes | None:
        """The whole picture of one image of a job, JPEG."""
        with reading(self._connection):
            return queries.picture(self._connection, image_id)

    def identity(self, identity_id: str) -> Identity | None:
        """One person."""
        with reading(self._connection):
            return identity_of(self._connection, identity_id)

    def identities(self, search: Search) -> list[Identity]:
        """People. A feed asks for those with an enrolled face that was seen there."""
        with reading(self._connection):
            return queries.identities(self._connection, search)

    def faces_of_identity(self, identity_id: str) -> list[StoredFace]:
        """The faces that stand for somebody, in the order in which they were enrolled."""
        with reading(self._connection):
            return queries.faces_of_identity(self._connection, identity_id)

    def group(self, group_id: str) -> Group | None:
        """One group, by its whole id."""
        with reading(self._connection):
            return group_of(self._connection, group_id)

    def groups(self, search: Search) -> list[Group]:
        """Groups, by when their person was first seen."""
        with reading(self._connection):
            return queries.groups(self._connection, search)

    def faces_of_group(self, group: Group) -> list[StoredFace]:
        """The faces seen in a group's tracks: the newest few dozens, the newest first."""
        with reading(self._connection):
            return queries.faces_of_group(self._connection, group)

    # --- people

    def enrol_seen(
        self, face_ids: Sequence[str], name: str = "", custom_id: str | None = None, *, model_hash: str
    ) -> Identity:
        """Make a person of faces seen before.

        Each must have an embedding of the model; see `chips_to_embed` and `add_embeddings_to_seen`.
        """
        store = self.people
        with store.change() as (revision, now_ms):
            identity_id = store.insert_identity(name, custom_id, revision, now_ms)
            enrol_faces(store, identity_id, face_ids, model_hash)
        return store.get(identity_id)

    def change_identity(
        self,
        identity_id: str,
        *,
        name: str | UnsetType = UNSET,
        custom_id: str | UnsetType | None = UNSET,
        add: Sequence[str] = (),
        remove: Sequence[str] = (),
        model_hash: str,
    ) -> Identity:
        """Change a person: all of it, or nothing. What is left out stays; a customId of None is taken away.

        A face that is removed stays among the seen ones; one that was never seen in a job, because it was
        enrolled from a file, is deleted for good.
        """
        store = self.people
        twice = set(add) & set(remove)
        if twice:
            raise IdentityError(f"the face {min(twice)} is to be added and removed at once")
        with store.change() as (revision, now_ms):
            store.touch(identity_id, revision, now_ms)
            if name is not UNSET:
                store.connection.execute(
                    "UPDATE identity SET name = ? WHERE id = ?", (checked_name(name), identity_id)
                )
            if custom_id is not UNSET:
                self._call(identity_id, custom_id)
            is_deleted = take_faces_out(store.connection, identity_id, remove, now_ms)
            if is_deleted:
                store.connection.execute("UPDATE ledger SET erased_revision = revision")
            enrol_faces(store, identity_id, add, model_hash)
        if is_deleted:
            self._sweep()
        return store.get(identity_id)

    def add_pictures(self, identity_id: str, faces: Sequence[tuple[NewFace, SeenFace]]) -> Identity:
        """Enrol faces of pictures that were sent for that; of each, where in its picture it was."""
        store = self.people
        with store.change() as (revision, now_ms):
            store.touch(identity_id, revision, now_ms)
            for new, seen in faces:
                enrol_picture(store, identity_id, new, seen, now_ms)
        return store.get(identity_id)

    def merge(self, into: str, identity_ids: Iterable[str]) -> Identity:
        """Give one person all that is other people's, who are gone then; jobs say the one instead."""
        store = self.people
        merged = list(dict.fromkeys(identity_ids))
        if into in merged:
            raise IdentityError(f"{into} cannot be merged into itself")
        with store.change() as (revision, now_ms):
            store.touch(into, revision, now_ms)
            for identity_id in merged:
                merge_identity(store, identity_id, into, revision, now_ms)
        self._empty_log()
        return store.get(into)

    def chips_to_embed(self, face_ids: Sequence[str], model_hash: str) -> list[tuple[str, Chip]]:
        """Of these seen faces, those that the model has not embedded and whose chip is kept."""
        lacking = [
            face.id
            for face in self.faces_by(face_ids)
            if not face.enrolled and face.has_chip and not face.has_embedding(model_hash)
        ]
        chips = ((face_id, self.chip(face_id)) for face_id in lacking)
        return [(face_id, chip) for face_id, chip in chips if chip is not None]

    def add_embeddings_to_seen(self, model_hash: str, embeddings: Iterable[tuple[str, Embedding]]) -> None:
        """Keep what a model made of seen faces; those that are gone, or enrolled by now, are passed over."""
        with transaction(self._connection):
            seal = seal_of(self._connection)
            closed = (
                (face_id, seal.close(Kind.FACE_EMBEDDING, face_id, embedding_to_bytes(embedding), model_hash))
                for face_id, embedding in embeddings
            )
            self._connection.executemany(
                "INSERT OR REPLACE INTO seen_embedding (face, model_hash, vector)"
                " SELECT number, ?, ? FROM seen_face WHERE id = ? AND enrolled IS NULL",
                [(model_hash, vector, face_id) for face_id, vector in closed],
            )

    def _call(self, identity_id: str, custom_id: str | None) -> None:
        custom_id = None if custom_id is None else checked_custom_id(custom_id)
        self.people.require_free(custom_id, but_for=identity_id)
        self._connection.execute("UPDATE identity SET custom_id = ? WHERE id = ?", (custom_id, identity_id))

    def _sweep(self) -> None:
        for warning in self.people.sweep():
            _LOG.warning("%s", warning)

    def _empty_log(self) -> None:
        for warning in self.people.swept_log():
            _LOG.warning("%s", warning)
