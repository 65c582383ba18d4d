"""What commands do with the groups of a namespace: look at them, name, merge, split and forget them."""

import difflib
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import numpy as np

from edged.domain.errors import GroupError
from edged.domain.face import Chip, Embedding
from edged.domain.group import GroupChange, KeptTrack
from edged.domain.identity import Identity
from edged.recognition.evidence import Evidence
from edged.recognition.grouping import founded_id
from edged.store import group_queries as queries
from edged.store import history_people
from edged.store.database import reading, transaction
from edged.store.faults import translated
from edged.store.group_joining import join_groups
from edged.store.group_rows import hand_over_blobs, next_group_revision, remove_groups
from edged.store.namespace_chips import chip_from_png, embedding_to_bytes, embeddings_from_bytes
from edged.store.namespace_store import NamespaceStore
from edged.store.sealing import Kind, Seal, opened_or_none, seal_of

_PREFIX_AT_LEAST: Final = 4
_SHOWN: Final = 5


class GroupStore:
    """The groups beside the people of a `NamespaceStore`; belongs to the same thread.

    Every method that changes something is one transaction. All raise StoreError for what the file or its disk
    does, and GroupError for a group that is not there or cannot be what is asked.
    """

    def __init__(self, store: NamespaceStore) -> None:
        self._store = store
        self._connection = store.connection

    # --- reading

    def groups(self) -> list[queries.Group]:
        """All groups, those seen last first."""
        with translated(self._store.path):
            return queries.groups(self._connection)

    def find(self, reference: str) -> queries.Group:
        """The one group that an id, or its first four or more characters, means."""
        wanted = reference.strip().lower()
        everything = self.groups()
        is_prefix = len(wanted) >= _PREFIX_AT_LEAST
        found = [one for one in everything if one.id == wanted or (is_prefix and one.id.startswith(wanted))]
        if len(found) == 1:
            return found[0]
        if found:
            listed = ", ".join(one.id for one in found[:_SHOWN])
            raise GroupError(f"{reference!r} is more than one group: {listed}", remedy="Give more of the id.")
        raise GroupError(f"no group here is {reference!r}", remedy=_advice(everything, wanted))

    def tracks_of(self, group: queries.Group) -> list[queries.GroupTrack]:
        """The tracks that are remembered, the oldest first."""
        with translated(self._store.path):
            return queries.tracks_of(self._connection, group.number)

    def means_of(self, group: queries.Group, model_hash: str) -> list[KeptTrack]:
        """The same with the mean that a model made of each."""
        with translated(self._store.path):
            return queries.means_of(self._connection, group.number, model_hash)

    def faces_of(self, group: queries.Group, *, with_chips: bool = False) -> list[queries.GroupFace]:
        """The faces that are kept, in the order of time; chips only where they are wanted."""
        with translated(self._store.path):
            return queries.faces_of(self._connection, group.number, with_chips=with_chips)

    def models(self) -> list[str]:
        """The models that made embeddings of the groups' faces, by their hash, the most used first."""
        with translated(self._store.path):
            return queries.models(self._connection)

    def changes_since(self, revision: int, model_hash: str) -> GroupChange | None:
        """What commands and retention did since a revision; None where nothing.

        Revision -1 asks for all there is. So does one that this file never reached: the file was exchanged,
        and the answer is then whole.
        """
        with reading(self._connection):
            return queries.changes_since(self._connection, revision, model_hash)

    # --- changing

    def enrol(
        self,
        group: queries.Group,
        faces: Sequence[int],
        *,
        name: str = "",
        custom_id: str | None = None,
        into: str | None = None,
    ) -> Identity:
        """Make a person of a group's faces (their numbers), or give them to one (`into`); the group is gone.

        The faces keep their chips and the embeddings of every model. The other faces are deleted for good.
        """
        store = self._store
        with store.change() as (revision, now_ms):
            self._must_be_there([group])
            if into is None:
                identity_id = store.insert_identity(name, custom_id, revision, now_ms)
            else:
                identity_id = into
                store.touch(identity_id, revision, now_ms)
            for face in faces:
                self._hand_over(face, identity_id, group, now_ms)
            history_people.name_group(self._connection, group.id, identity_id)
            remove_groups(self._connection, [group.id], named=identity_id)
        store.empty_log()
        return store.get(identity_id)

    def merge(self, groups: Sequence[queries.Group]) -> queries.Group:
        """Make one group of several; it keeps the id of the first."""
        first, *others = groups
        with transaction(self._connection):
            self._must_be_there(groups)
            join_groups(
                self._connection,
                [one.id for one in others],
                first.id,
                seen_ms=(min(one.first_seen_ms for one in groups), max(one.last_seen_ms for one in groups)),
                visits=sum(one.visits for one in groups),
            )
        return self.find(first.id)

    def split_off(self, group: queries.Group, track_ids: Sequence[str]) -> queries.Group:
        """Move some of a group's tracks, not all, to a new group, which is founded by the oldest of them."""
        with transaction(self._connection):
            self._must_be_there([group])
            tracks = queries.tracks_of(self._connection, group.number)
            moved = [track for track in tracks if track.id in set(track_ids)]
            if not moved or len(moved) == len(tracks):
                raise GroupError("a split takes some of a group's tracks, neither none nor all")
            taken = {
                row[0]
                for row in self._connection.execute(
                    "SELECT id FROM unknown_group UNION SELECT group_id FROM sync_group_fate"
                    " UNION SELECT group_id FROM sync_group_elsewhere"
                )
            }
            group_id = founded_id(moved[0].id, taken)
            visits = len({track.seen_before for track in moved})
            revision = next_group_revision(self._connection)
            number = self._connection.execute(
                "INSERT INTO unknown_group (id, first_seen_ms, last_seen_ms, visits, kept_ms, revision)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (
                    group_id,
                    min(track.first_seen_ms for track in moved),
                    max(track.last_seen_ms for track in moved),
                    visits,
                    group.kept_ms,
                    revision,
                ),
            ).lastrowid
            self._connection.executemany(
                "UPDATE group_track SET unknown_group = ? WHERE id = ?",
                [(number, track.id) for track in moved],
            )
            history_people.split_group(self._connection, [track.id for track in moved], group_id)
            rest = {track.seen_before for track in tracks if track not in moved}
            self._connection.execute(
                "UPDATE unknown_group SET visits = ?, revision = ? WHERE number = ?",
                (max(len(rest), group.visits - visits), revision, group.number),
            )
            self._connection.execute("DELETE FROM group_fate WHERE group_id = ?", (group_id,))
        return self.find(group_id)

    def forget(self, groups: Sequence[queries.Group], *, is_told: bool = True) -> tuple[str, ...]:
        """Delete groups for good, and the history of their people; returns what could not be done besides.

        With `is_told` the nodes that groups are shared with forget them too.
        """
        ids = [one.id for one in groups]
        with transaction(self._connection):
            history_people.erase_groups(self._connection, ids, self._store.now_ms, is_told=is_told)
            remove_groups(self._connection, ids, is_told=is_told)
        return tuple(self._store.swept_log())

    # --- embedding again

    def chips_without(self, model_hash: str) -> Iterator[tuple[int, Chip]]:
        """Faces that have a chip and no embedding of the model: (face number, chip), one at a time.

        Whoever embeds the enrolled people anew for another model does the same with these, and hands the
        result to `add_embeddings`: without it, no unknown person of the past is recognised again.
        """
        with translated(self._store.path):
            for number, png in queries.chips_without(self._connection, model_hash):
                yield number, chip_from_png(png)

    def add_embeddings(self, model_hash: str, embeddings: Iterable[tuple[int, Embedding]]) -> None:
        """Keep what a model made of faces: (face number, embedding), and make the means of their tracks.

        Faces that were deleted meanwhile are passed over.
        """
        with transaction(self._connection):
            revision = next_group_revision(self._connection)
            seal = seal_of(self._connection)
            tracks: set[int] = set()
            for face, embedding in embeddings:
                vector = embedding_to_bytes(embedding)
                self._connection.execute(
                    "INSERT OR REPLACE INTO group_embedding (face, model_hash, vector)"
                    " SELECT number, ?, ? FROM group_face WHERE number = ?",
                    (model_hash, seal.close(Kind.GROUP_EMBEDDING, face, vector, model_hash), face),
                )
                tracks |= {
                    row[0]
                    for row in self._connection.execute(
                        "SELECT track FROM group_face WHERE number = ?", (face,)
                    )
                }
            for track in sorted(tracks):
                self._average(seal, track, model_hash)
                self._connection.execute(
                    "UPDATE unknown_group SET revision = ?"
                    " WHERE number = (SELECT unknown_group FROM group_track WHERE number = ?)",
                    (revision, track),
                )

    def _average(self, seal: Seal, track: int, model_hash: str) -> None:
        """Make the mean of a track by a model that saw only the faces that were kept of it."""
        evidence = Evidence()
        for face, quality, blob in self._connection.execute(
            "SELECT number, quality, vector FROM group_face JOIN group_embedding ON face = number"
            " WHERE track = ? AND model_hash = ? ORDER BY number",
            (track, model_hash),
        ):
            vector = opened_or_none(seal, Kind.GROUP_EMBEDDING, face, blob, model_hash)
            if vector is not None:
                evidence.add(np.array(embeddings_from_bytes([vector])[0]), quality)
        mean = seal.close(Kind.TRACK_MEAN, track, embedding_to_bytes(evidence.fused()), model_hash)
        # How alike its faces are differs little between models; few are kept of what the first one saw.
        self._connection.execute(
            "INSERT OR REPLACE INTO group_track_embedding (track, model_hash, vector, effective)"
            " SELECT ?, ?, ?, min(coalesce(max(effective), 1), ?) FROM group_track_embedding"
            " WHERE track = ? AND model_hash <> ?",
            (track, model_hash, mean, evidence.faces, track, model_hash),
        )

    def _hand_over(self, face: int, identity_id: str, group: queries.Group, now_ms: int) -> None:
        """Make an enrolled face of a group's, with all that is kept of it."""
        found = self._connection.execute(
            "SELECT quality, feed_id FROM group_face JOIN group_track ON group_track.number = track"
            " WHERE group_face.number = ? AND unknown_group = ?",
            (face, group.number),
        ).fetchone()
        if found is None:
            raise GroupError(f"a face of group {group.id} is gone by now", remedy="Try again.")
        quality, feed_id = found
        source = f"group {group.id[:8]}, feed {feed_id}"
        hand_over_blobs(self._connection, face, self._store.insert_face(identity_id, quality, source, now_ms))

    def _must_be_there(self, groups: Sequence[queries.Group]) -> None:
        """The daemon may have deleted one since it was looked up."""
        for group in groups:
            row = self._connection.execute("SELECT 1 FROM unknown_group WHERE id = ?", (group.id,)).fetchone()
            if row is None:
                raise GroupError(f"the group {group.id} is gone by now")


def _advice(everything: Sequence[queries.Group], wanted: str) -> str:
    if not everything:
        return "There is no group in this namespace; `edged groups list` says what there is."
    near = difflib.get_close_matches(wanted, [one.id[: max(8, len(wanted))] for one in everything], n=_SHOWN)
    if near:
        return f"Near to it: {', '.join(near)}."
    return "`edged groups list` shows all of them."
