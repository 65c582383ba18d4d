"""What each model has made of a namespace's faces, and how to be rid of a model's embeddings for good."""

import sqlite3
from dataclasses import dataclass
from typing import Final

from edged.domain.errors import ModelError
from edged.domain.identity import Identity
from edged.domain.sync_state import SyncRole
from edged.store import namespace_queries as queries
from edged.store.database import reading, transaction
from edged.store.namespace_store import NamespaceStore
from edged.store.sync_records import shared_terms

_ENROLLED: Final = ("face", "chip", "embedding")
_GROUPED: Final = ("group_face", "group_chip", "group_embedding")
_SEEN: Final = ("seen_face", "seen_chip", "seen_embedding")


@dataclass(frozen=True, slots=True)
class Coverage:
    """How far a model has come with the faces of one kind.

    Attributes:
        faces: how many there are.
        embedded: of these, by the model.
        pending: not yet, and their chip is kept.
    """

    faces: int
    embedded: int
    pending: int

    @property
    def lost(self) -> int:
        """Faces that the model can never see: no chip of theirs was kept."""
        return self.faces - self.embedded - self.pending


@dataclass(frozen=True, slots=True)
class Unseen:
    """Somebody who has faces that a model can never see.

    Attributes:
        identity: who it is, with the number of all their faces.
        lost: how many of these.
    """

    identity: Identity
    lost: int


@dataclass(frozen=True, slots=True)
class Survey:
    """What going over to a model would mean for a namespace.

    Attributes:
        enrolled: the faces of enrolled people.
        grouped: those of unknown people.
        unseen: who loses faces, by name.
    """

    enrolled: Coverage
    grouped: Coverage
    unseen: tuple[Unseen, ...]


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What `forget_model` did.

    Attributes:
        embeddings: deleted ones.
        kept: embeddings that are all there is of a face, and stayed.
        warnings: what could not be done besides, in words.
    """

    embeddings: int
    kept: int
    warnings: tuple[str, ...]


def survey(store: NamespaceStore, model_hash: str) -> Survey:
    """Count; raises StoreError. Changes nothing."""
    connection = store.connection
    with reading(connection):
        people = queries.identities(connection)
        lost = dict(
            connection.execute(
                """
                SELECT identity.id, count(*) FROM face JOIN identity ON identity.number = face.identity
                WHERE NOT EXISTS (SELECT 1 FROM chip WHERE chip.face = face.number) AND NOT EXISTS
                    (SELECT 1 FROM embedding WHERE embedding.face = face.number AND model_hash = ?)
                GROUP BY identity.id
                """,
                (model_hash,),
            )
        )
        return Survey(
            _coverage(connection, _ENROLLED, model_hash),
            _coverage(connection, _GROUPED, model_hash),
            tuple(Unseen(person, lost[person.id]) for person in people if person.id in lost),
        )


def embeddings_by_model(store: NamespaceStore) -> dict[str, int]:
    """How many faces, of people, groups and jobs, have an embedding of each model, by its hash."""
    with reading(store.connection):
        counts: dict[str, int] = {}
        for table in (_ENROLLED[2], _GROUPED[2], _SEEN[2]):
            for model_hash, count in store.connection.execute(
                f"SELECT model_hash, count(*) FROM {table} GROUP BY model_hash"  # noqa: S608 (from above)
            ):
                counts[model_hash] = counts.get(model_hash, 0) + int(count)
    return counts


def forget_model(store: NamespaceStore, model_hash: str) -> Forgotten:
    """Delete what a model made of the faces, here and in every snapshot; raises StoreError.

    An embedding stays where a face has neither a chip nor an embedding of another model: with it the person
    would be gone too, and that is for `edged identities remove`. A member of a synced namespace keeps those
    of enrolled people that its epoch consists of: raises ModelError, and nothing was changed.
    """
    connection = store.connection
    deleted = kept = 0
    with transaction(connection):
        require_unshared(store, model_hash)
        for _, chip, embedding in (_ENROLLED, _GROUPED, _SEEN):
            deleted += connection.execute(
                f"""
                DELETE FROM {embedding} WHERE model_hash = ?1 AND (
                    EXISTS (SELECT 1 FROM {chip} WHERE {chip}.face = {embedding}.face) OR EXISTS (
                        SELECT 1 FROM {embedding} AS other
                        WHERE other.face = {embedding}.face AND other.model_hash <> ?1
                    )
                )
                """,  # noqa: S608 (names from above)
                (model_hash,),
            ).rowcount
            (left,) = connection.execute(
                f"SELECT count(*) FROM {embedding} WHERE model_hash = ?",  # noqa: S608
                (model_hash,),
            ).fetchone()
            kept += left
        connection.execute(
            "DELETE FROM group_track_embedding WHERE model_hash = ? AND EXISTS (SELECT 1 FROM"
            " group_track_embedding AS other WHERE other.track = group_track_embedding.track"
            " AND other.model_hash <> group_track_embedding.model_hash)",
            (model_hash,),
        )
        if deleted:
            # Snapshots that are older still hold what was to be forgotten: whoever sees one deletes it.
            connection.execute("UPDATE ledger SET revision = revision + 1, erased_revision = revision + 1")
    warnings = tuple(store.sweep()) if deleted else ()
    return Forgotten(deleted, kept, warnings)


def require_unshared(store: NamespaceStore, model_hash: str) -> None:
    """Raise ModelError where this node is a member, and the namespace is of this model."""
    terms = shared_terms(store.connection)
    if terms is not None and terms[0] is SyncRole.MEMBER and terms[1] == model_hash:
        raise ModelError(
            f"{store.path}: the synced namespace is of this model",
            remedy="Have its authority go over to another one (`edged models use` there), or leave it"
            " (`edged sync leave`).",
        )


def _coverage(connection: sqlite3.Connection, tables: tuple[str, str, str], model_hash: str) -> Coverage:
    face, chip, embedding = tables
    (faces,) = connection.execute(f"SELECT count(*) FROM {face}").fetchone()  # noqa: S608 (names from above)
    (embedded,) = connection.execute(
        f"SELECT count(*) FROM {embedding} WHERE model_hash = ?",  # noqa: S608
        (model_hash,),
    ).fetchone()
    (pending,) = connection.execute(
        f"SELECT count(*) FROM {chip} WHERE NOT EXISTS"  # noqa: S608
        f" (SELECT 1 FROM {embedding} WHERE {embedding}.face = {chip}.face AND model_hash = ?)",
        (model_hash,),
    ).fetchone()
    return Coverage(faces, embedded, pending)
