"""Clusters unknown tracks as they come: which of the people nobody has named is it, or is it a new one?

A group stands as one template, the normalised mean of its tracks' means, and a track joins the group that is
most alike if it is as alike as the calibration asks for; else it founds one. Groups are never joined by
themselves, neither with each other nor with an identity: who is a group once stays one, and its id with it.
Groups that other nodes share are looked at after one's own: a track joins one of them under its id, and two
nodes that founded a group each for one person go by one id once a track shows it.
Measured in docs/groups.md: what the order of the tracks changes, and how pure and how whole the groups are.
"""

from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final

from edged.domain.face import Embedding
from edged.domain.group import GroupChange, GroupElsewhere, KeptGroup, KeptTrack, Membership, SameGroup
from edged.domain.identifiers import derived_id
from edged.recognition.calibration import Calibration
from edged.recognition.group_template import GroupTemplate, most_alike, template_of

KEPT_TRACKS: Final = 32
"""A group remembers so many tracks, the newest. Each is 0.5 kB; a template gains little from more."""


@dataclass(frozen=True, slots=True, eq=False)
class UnknownTrack:
    """A track that was found to be nobody enrolled.

    Attributes:
        id: the track's UUID.
        mean: its fused embedding, unit length.
        effective: how many independent faces are behind it, at least 1.
        first_seen_ms, last_seen_ms: UTC milliseconds.
    """

    id: str
    mean: Embedding
    effective: float
    first_seen_ms: int
    last_seen_ms: int


@dataclass(slots=True)
class _Group:
    """Tracks of one person, the oldest first."""

    id: str
    first_seen_ms: int
    last_seen_ms: int
    visits: int
    tracks: dict[str, KeptTrack] = field(default_factory=dict)
    elsewhere: tuple[tuple[Embedding, float], ...] = ()
    """The means that other nodes know this group by."""
    template: GroupTemplate | None = None

    def put(self, track: KeptTrack, calibration: Calibration) -> list[str]:
        """Take a track in, or its newer state; returns the oldest beyond KEPT_TRACKS, which are let go."""
        self.tracks[track.id] = track
        oldest = list(self.tracks)[: max(0, len(self.tracks) - KEPT_TRACKS)]
        for track_id in oldest:
            del self.tracks[track_id]
        self.first_seen_ms = min(self.first_seen_ms, track.first_seen_ms)
        self.last_seen_ms = max(self.last_seen_ms, track.last_seen_ms)
        self.refresh(calibration)
        return oldest

    def take_out(self, track: KeptTrack, calibration: Calibration) -> None:
        """Let go of a track that never was this person; another one is left."""
        del self.tracks[track.id]
        rest = self.tracks.values()
        if track.seen_before == self.visits - 1 and all(one.seen_before < track.seen_before for one in rest):
            self.visits = max(1, track.seen_before)
        if track.first_seen_ms == self.first_seen_ms:
            self.first_seen_ms = min(one.first_seen_ms for one in rest)
        self.refresh(calibration)

    def refresh(self, calibration: Calibration) -> None:
        """Make the template anew. Each track counts the same, however long it is, and so does each node."""
        means = [(track.mean, track.effective) for track in self.tracks.values() if track.mean is not None]
        self.template = template_of([*means, *self.elsewhere], calibration)


@dataclass(frozen=True, slots=True)
class _Elsewhere:
    """A group that other nodes share, with its template."""

    shared: GroupElsewhere
    template: GroupTemplate | None


class GroupBook:
    """The groups of one namespace. Belongs to the recogniser's thread; every feed of the namespace shares it.

    Args:
        calibration: of the embedder in use.
        false_merge: share of strangers' tracks that may join somebody else's group, above 0, below 1.
        most_groups: beyond it, the group that was touched longest ago makes room.
        new_visit_after_ms: who was unseen for so long has come again.
    """

    def __init__(
        self, calibration: Calibration, false_merge: float, *, most_groups: int, new_visit_after_ms: int
    ) -> None:
        self._calibration = calibration
        self._false_merge = false_merge
        self._most_groups = most_groups
        self._new_visit_after_ms = new_visit_after_ms
        self.similarity_offset = 0.0
        """Added to the similarity that is asked for, where people are more alike than those measured."""
        self._groups: dict[str, _Group] = {}
        """In the order in which they were touched."""
        self._group_of: dict[str, str] = {}
        self._elsewhere: dict[str, _Elsewhere] = {}
        """What other nodes share, also of groups that are here too."""

    def __len__(self) -> int:
        return len(self._groups)

    def membership(self, track_id: str) -> Membership | None:
        """The group of a track, None where it has none or is no longer remembered."""
        group = self._groups.get(self._group_of.get(track_id, ""))
        if group is None or track_id not in group.tracks:
            return None
        return Membership(group.id, group.tracks[track_id].seen_before, group.first_seen_ms)

    def assign(self, track: UnknownTrack) -> tuple[Membership, tuple[str, ...]]:
        """Find or found the group of a track; returns it, and the ids of groups that made room.

        A track that was told of before stays where it is: a clip replayed on the same data tells the same.
        """
        told = self.membership(track.id)
        if told is not None:
            self.follow(track)
            return told, ()
        required = partial(self._required, faces=track.effective)
        group = most_alike(track.mean, self._groups.values(), required, self._calibration)
        if group is None:
            other = most_alike(track.mean, self._only_elsewhere(), required, self._calibration)
            group = None if other is None else _taken_over(other.shared)
        if group is None:
            group = self._found(track)
        elif self._comes_again(group, track):
            group.visits += 1
        self._touch(group)
        self._group_of[track.id] = group.id
        seen_before = group.visits - 1
        oldest = group.put(
            _kept(track, seen_before, track.first_seen_ms, track.last_seen_ms), self._calibration
        )
        for track_id in oldest:
            self._group_of.pop(track_id, None)
        return Membership(group.id, seen_before, group.first_seen_ms), tuple(self._make_room())

    def same_elsewhere(self, track_id: str) -> SameGroup | None:
        """Whether the group of a track is one that another node shares under another id.

        Both the track and the whole group must be alike enough. Of the two ids that of the group seen first
        stays, the lower one of two seen first at the same time. Where it is this node's, the other node
        changes; else the group has the other's id from here on, and what is returned is to be kept.
        """
        group = self._groups.get(self._group_of.get(track_id, ""))
        track = group.tracks.get(track_id) if group else None
        if group is None or group.template is None or track is None or track.mean is None:
            return None
        others = list(self._only_elsewhere())
        for probe, faces in (
            (track.mean, track.effective),
            (group.template.vector, group.template.effective),
        ):
            required = partial(self._required, faces=max(1.0, faces))
            found = most_alike(probe, others, required, self._calibration)
            others = [found] if found else []
        if not others or (group.first_seen_ms, group.id) <= (
            others[0].shared.first_seen_ms,
            others[0].shared.id,
        ):
            return None
        return self._rename(group, others[0].shared, track)

    def follow(self, track: UnknownTrack) -> None:
        """Take over what more is known of a track by now; nothing where it has no group."""
        group = self._groups.get(self._group_of.get(track.id, ""))
        known = group.tracks.get(track.id) if group else None
        if group is None or known is None:
            return
        self._touch(group)
        seen_ms = max(known.last_seen_ms, track.last_seen_ms)
        group.put(_kept(track, known.seen_before, known.first_seen_ms, seen_ms), self._calibration)

    def withdraw(self, track_id: str) -> bool:
        """Take a track out again: it is somebody enrolled. Whether it had a group."""
        group = self._groups.get(self._group_of.pop(track_id, ""))
        track = group.tracks.get(track_id) if group else None
        if group is None or track is None:
            return False
        if len(group.tracks) == 1:
            del self._groups[group.id]
        else:
            group.take_out(track, self._calibration)
        return True

    def apply(self, change: GroupChange) -> None:
        """Take over what commands and retention did; tracks that are not written down yet stay."""
        if change.is_whole:
            self._groups.clear()
            self._group_of.clear()
        if change.elsewhere is not None:
            self._learn(change.elsewhere)
        listed = {track.id for group in change.changed for track in group.tracks}
        inherited: dict[str, list[KeptTrack]] = {}
        for group_id, heir in change.gone:
            gone = self._groups.pop(group_id, None)
            if gone is not None and heir is not None:
                inherited.setdefault(heir, []).extend(gone.tracks.values())
        for kept in change.changed:
            known = self._groups.pop(kept.id, None)
            waiting = [*(known.tracks.values() if known else ()), *inherited.get(kept.id, ())]
            self._adopt(kept, [track for track in waiting if track.id not in listed])
        self._group_of = {track_id: group.id for group in self._groups.values() for track_id in group.tracks}
        for track_id in change.lost:
            if track_id not in listed:
                self.withdraw(track_id)
        for _ in self._make_room():
            # Whoever keeps the groups has the same bound and deletes them too.
            pass

    def _adopt(self, kept: KeptGroup, waiting: list[KeptTrack]) -> None:
        tracks = (*kept.tracks, *waiting)[-KEPT_TRACKS:]
        self._groups[kept.id] = _Group(
            kept.id,
            min([kept.first_seen_ms, *(track.first_seen_ms for track in waiting)]),
            max([kept.last_seen_ms, *(track.last_seen_ms for track in waiting)]),
            max([kept.visits, *(track.seen_before + 1 for track in waiting)]),
            {track.id: track for track in tracks},
            self._means_elsewhere(kept.id),
        )
        self._groups[kept.id].refresh(self._calibration)

    # --- what other nodes share

    def _learn(self, shared: Iterable[GroupElsewhere]) -> None:
        """Take over all that other nodes share, in the place of what they shared before."""
        self._elsewhere = {
            one.id: _Elsewhere(one, template_of(one.means, self._calibration)) for one in shared
        }
        for group in self._groups.values():
            means = self._means_elsewhere(group.id)
            if means or group.elsewhere:
                group.elsewhere = means
                group.refresh(self._calibration)

    def _means_elsewhere(self, group_id: str) -> tuple[tuple[Embedding, float], ...]:
        found = self._elsewhere.get(group_id)
        return () if found is None else found.shared.means

    def _only_elsewhere(self) -> Iterator[_Elsewhere]:
        return (one for group_id, one in self._elsewhere.items() if group_id not in self._groups)

    def _found(self, track: UnknownTrack) -> _Group:
        taken = self._groups.keys() | self._elsewhere.keys()
        return _Group(founded_id(track.id, taken), track.first_seen_ms, track.last_seen_ms, visits=1)

    def _rename(self, group: _Group, heir: GroupElsewhere, track: KeptTrack) -> SameGroup:
        """Have a group be one that another node shares; both were counted by themselves until now."""
        gap_ms = max(heir.first_seen_ms - group.last_seen_ms, group.first_seen_ms - heir.last_seen_ms)
        # Who stands before two cameras at once came once.
        shared_visits = 1 if gap_ms < self._new_visit_after_ms else 0
        same = SameGroup(
            group.id,
            heir.id,
            min(group.first_seen_ms, heir.first_seen_ms),
            max(group.last_seen_ms, heir.last_seen_ms),
            group.visits + heir.visits - shared_visits,
        )
        del self._groups[group.id]
        group.id, group.visits = heir.id, same.visits
        group.first_seen_ms, group.last_seen_ms = same.first_seen_ms, same.last_seen_ms
        group.elsewhere = heir.means
        group.tracks[track.id] = replace(track, seen_before=same.visits - 1)
        group.refresh(self._calibration)
        self._groups[group.id] = group
        self._group_of |= dict.fromkeys(group.tracks, group.id)
        return same

    # --- what is enough

    def _required(self, pictures: float, faces: float) -> float:
        compared = len(self._groups) + len(self._elsewhere.keys() - self._groups.keys())
        required = self._calibration.required_similarity(
            self._false_merge, enrolled=compared, pictures=pictures, faces=faces
        )
        return required + self.similarity_offset

    def _comes_again(self, group: _Group, track: UnknownTrack) -> bool:
        # Feeds that replay clips have times of their own, so that a track may be long before the last one.
        before_ms = group.first_seen_ms - track.last_seen_ms
        after_ms = track.first_seen_ms - group.last_seen_ms
        return max(before_ms, after_ms) >= self._new_visit_after_ms

    def _touch(self, group: _Group) -> None:
        self._groups[group.id] = self._groups.pop(group.id, group)

    def _make_room(self) -> Iterator[str]:
        while len(self._groups) > self._most_groups:
            group_id = next(iter(self._groups))
            for track_id in self._groups.pop(group_id).tracks:
                self._group_of.pop(track_id, None)
            yield group_id


def founded_id(track_id: str, taken: Container[str]) -> str:
    """The id of the group that a track founds: the same in every replay.

    The first one is taken where a command moved the track out of the group that it founded once.
    """
    group_id, number = derived_id("group", track_id), 1
    while group_id in taken:
        number += 1
        group_id = derived_id("group", track_id, number)
    return group_id


def _taken_over(shared: GroupElsewhere) -> _Group:
    """A group of this node's, of one that nobody has seen here before."""
    return _Group(shared.id, shared.first_seen_ms, shared.last_seen_ms, shared.visits, elsewhere=shared.means)


def _kept(track: UnknownTrack, seen_before: int, first_seen_ms: int, last_seen_ms: int) -> KeptTrack:
    return KeptTrack(track.id, seen_before, first_seen_ms, last_seen_ms, track.mean, track.effective)
