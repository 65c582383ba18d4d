"""What the daemon writes down of unknown people, and how it keeps that bounded in number and age."""

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from edged.domain.group import CrowdedOut, GroupedTrack, GroupNews, SameGroup, StrangeFace, UngroupedTrack
from edged.domain.kept_time import KeptTime
from edged.domain.moment import Clock
from edged.settings.groups import Groups
from edged.store.database import transaction
from edged.store.group_joining import join_groups
from edged.store.group_retention import sweep_groups
from edged.store.group_rows import forget_fates, next_group_revision, prune
from edged.store.namespace_chips import chip_to_png, embedding_to_bytes
from edged.store.opened_namespaces import OpenedNamespaces
from edged.store.retention import Tally
from edged.store.sealing import Key, Kind, Seal, seal_of


class GroupRecords:
    """The groups of all namespaces, as the keeper's thread writes them. Files are opened when first needed.

    All methods but `close` raise StoreError.
    """

    def __init__(
        self,
        data_dir: Path,
        namespaces: Iterable[str],
        settings: Groups,
        clock: Clock,
        new_id: Callable[[], str],
        tally: Tally | None = None,
        *,
        key: Key | None = None,
    ) -> None:
        self._opened = OpenedNamespaces(data_dir, namespaces, clock, new_id, key)
        self.settings = settings
        """Limits; may be exchanged at any time."""
        self._clock = clock
        self._time = KeptTime(clock.moment())
        self._tally = tally or Tally()

    def begin(self) -> None:
        """Forget what became of groups before: nobody has news of them on the way."""
        for namespace in self._opened.present():
            connection = self._opened.store(namespace).connection
            with transaction(connection):
                forget_fates(connection)

    def record(self, news: Sequence[tuple[str, GroupNews]]) -> None:
        """Write down (namespace, news), in one transaction a namespace."""
        for namespace in dict.fromkeys(name for name, _ in news):
            connection = self._opened.store(namespace).connection
            now_ms = self._clock.moment().utc_ms
            with transaction(connection):
                for name, one in news:
                    if name == namespace:
                        self._write(connection, one, now_ms)

    def sweep(self) -> bool:
        """Delete some of the groups that are too old or too many; whether there may be more of them."""
        correction = self._time.look(self._clock.moment())
        is_more = False
        for namespace in self._opened.present():
            connection = self._opened.store(namespace).connection
            is_more |= sweep_groups(connection, self.settings, correction, self._tally)
        return is_more

    def close(self) -> None:
        """Let go of the files."""
        self._opened.close()

    def _write(self, connection: sqlite3.Connection, news: GroupNews, now_ms: int) -> None:
        match news:
            case GroupedTrack():
                self._put(connection, news, now_ms)
            case UngroupedTrack():
                _take_out(connection, news.track_id)
            case CrowdedOut():
                # The recogniser knows it already, so that nothing is said of its fate.
                connection.execute("DELETE FROM unknown_group WHERE id = ?", (news.group_id,))
            case SameGroup():
                _join(connection, news)

    def _put(self, connection: sqlite3.Connection, news: GroupedTrack, now_ms: int) -> None:
        row = connection.execute(
            "SELECT number, unknown_group FROM group_track WHERE id = ?", (news.track_id,)
        ).fetchone()
        if row is None:
            if _is_lost(connection, news.track_id):
                return
            group = _group_for(connection, news, now_ms)
            if group is None:
                return
            track = _number(
                connection.execute(
                    "INSERT INTO group_track (id, unknown_group, feed_id, first_seen_ms, last_seen_ms,"
                    " seen_before) VALUES (?, ?, ?, ?, ?, ?)",
                    (
                        news.track_id,
                        group,
                        news.feed_id,
                        news.first_seen_ms,
                        news.last_seen_ms,
                        news.membership.seen_before,
                    ),
                )
            )
        else:
            track, group = row
        connection.execute(
            "UPDATE group_track SET last_seen_ms = max(last_seen_ms, ?) WHERE number = ?",
            (news.last_seen_ms, track),
        )
        connection.execute(
            "UPDATE unknown_group SET first_seen_ms = min(first_seen_ms, ?),"
            " last_seen_ms = max(last_seen_ms, ?), visits = max(visits, ?), kept_ms = ? WHERE number = ?",
            (news.first_seen_ms, news.last_seen_ms, news.membership.seen_before + 1, now_ms, group),
        )
        mean = embedding_to_bytes(news.mean)
        seal = seal_of(connection)
        connection.execute(
            "INSERT OR REPLACE INTO group_track_embedding (track, model_hash, vector, effective)"
            " VALUES (?, ?, ?, ?)",
            (
                track,
                news.model_hash,
                seal.close(Kind.TRACK_MEAN, track, mean, news.model_hash),
                max(1.0, news.effective),
            ),
        )
        connection.execute("DELETE FROM group_face WHERE track = ?", (track,))
        for face in news.faces:
            _insert_face(connection, seal, track, news.model_hash, face)
        prune(connection, group, news.model_hash, self.settings.max_faces)


def _is_lost(connection: sqlite3.Connection, track_id: str) -> bool:
    """Whether a command took the track away, with whatever group it was in by then."""
    found = connection.execute("SELECT 1 FROM group_lost_track WHERE track_id = ?", (track_id,)).fetchone()
    return found is not None


def _group_for(connection: sqlite3.Connection, news: GroupedTrack, now_ms: int) -> int | None:
    """The row of the group that a new track belongs to; None where a command took that group away."""
    group_id = news.membership.group_id
    fate = connection.execute("SELECT heir FROM group_fate WHERE group_id = ?", (group_id,)).fetchone()
    if fate is not None and fate[0] is not None:
        group_id = fate[0]
    elif fate is not None:
        shared = connection.execute("SELECT 1 FROM sync_group_elsewhere WHERE group_id = ?", (group_id,))
        if shared.fetchone() is None:
            return None
        # It grew too old here, and the person came again whom another node still knows.
        connection.execute("DELETE FROM group_fate WHERE group_id = ?", (group_id,))
    found = connection.execute("SELECT number FROM unknown_group WHERE id = ?", (group_id,)).fetchone()
    if found is not None:
        return int(found[0])
    inserted = connection.execute(
        "INSERT INTO unknown_group (id, first_seen_ms, last_seen_ms, visits, kept_ms, revision)"
        " VALUES (?, ?, ?, ?, ?, 0)",
        (
            group_id,
            news.membership.first_seen_ms,
            news.last_seen_ms,
            news.membership.seen_before + 1,
            now_ms,
        ),
    )
    return inserted.lastrowid


def _join(connection: sqlite3.Connection, news: SameGroup) -> None:
    """Have a group go by another node's id, unless that was taken away meanwhile."""
    fate = connection.execute("SELECT 1 FROM sync_group_fate WHERE group_id = ?", (news.heir,)).fetchone()
    if fate is not None:
        # The recogniser hears that its group is still the one that it was.
        connection.execute(
            "UPDATE unknown_group SET revision = ? WHERE id = ?",
            (next_group_revision(connection), news.group_id),
        )
        return
    join_groups(
        connection,
        [news.group_id],
        news.heir,
        seen_ms=(news.first_seen_ms, news.last_seen_ms),
        visits=news.visits,
    )


def _insert_face(
    connection: sqlite3.Connection, seal: Seal, track: int, model_hash: str, face: StrangeFace
) -> None:
    number = _number(
        connection.execute(
            "INSERT INTO group_face (track, quality, yaw_deg, pitch_deg, at_ms) VALUES (?, ?, ?, ?, ?)",
            (track, face.quality, face.yaw_deg, face.pitch_deg, face.at_ms),
        )
    )
    vector = embedding_to_bytes(face.embedding)
    connection.execute(
        "INSERT INTO group_embedding (face, model_hash, vector) VALUES (?, ?, ?)",
        (number, model_hash, seal.close(Kind.GROUP_EMBEDDING, number, vector, model_hash)),
    )
    if face.chip is not None:
        connection.execute(
            "INSERT INTO group_chip (face, png) VALUES (?, ?)",
            (number, seal.close(Kind.GROUP_CHIP, number, chip_to_png(face.chip))),
        )


def _number(inserted: sqlite3.Cursor) -> int:
    """The number of the row that was inserted."""
    return inserted.lastrowid or 0


def _take_out(connection: sqlite3.Connection, track_id: str) -> None:
    """Delete a track that is somebody enrolled, and its group where nothing else is in it."""
    row = connection.execute(
        "SELECT number, unknown_group, seen_before FROM group_track WHERE id = ?", (track_id,)
    ).fetchone()
    if row is None:
        return
    number, group, seen_before = row
    connection.execute("DELETE FROM group_track WHERE number = ?", (number,))
    left, most_before = connection.execute(
        "SELECT count(*), max(seen_before) FROM group_track WHERE unknown_group = ?", (group,)
    ).fetchone()
    if not left:
        connection.execute("DELETE FROM unknown_group WHERE number = ?", (group,))
    elif most_before < seen_before:
        # It was counted as a visit of its own, which never was.
        connection.execute(
            "UPDATE unknown_group SET visits = max(1, visits - 1) WHERE number = ? AND visits = ?",
            (group, seen_before + 1),
        )
