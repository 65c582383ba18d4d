"""What becomes of the unknown tracks of one feed: their group, and the few faces that are kept of each."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from edged.domain.face import Face
from edged.domain.group import CrowdedOut, GroupedTrack, GroupNews, Membership, StrangeFace, UngroupedTrack
from edged.domain.job import Verdict
from edged.domain.moment import Moment
from edged.recognition.calibration import Calibration
from edged.recognition.enrolment import Candidate, best_and_varied
from edged.recognition.evidence import Evidence
from edged.recognition.grouping import GroupBook, UnknownTrack

FACES_A_TRACK: Final = 4
"""The faces of one track are alike: more of them show nothing new."""

TOLD_EVERY_MS: Final = 10 * 60 * 1000
"""Whoever stays is written down again: what a crash loses of them is bounded, and they do not grow old."""


@dataclass(slots=True)
class _Followed:
    """A track that is in view."""

    first_seen_ms: int
    faces: list[Candidate] = field(default_factory=list)
    latest: UnknownTrack | None = None
    told_ms: int | None = None
    """When it was told last, by the steady clock; None while it has no group."""


@dataclass(frozen=True, slots=True)
class Grouping:
    """What it takes to group: who owns the groups, who writes them down, and what may be kept.

    Attributes:
        book: the namespace's book as it is now.
        tell: hands news over to whoever keeps them; does not wait.
        calibration: of the embedder.
        model_hash: SHA-256 (hex) of the embedder.
        keep_chips: whether aligned crops may be kept.
    """

    book: Callable[[], GroupBook]
    tell: Callable[[GroupNews], None]
    calibration: Calibration
    model_hash: str
    keep_chips: bool


class UnknownPeople:
    """Follows the tracks of one feed and groups the unknown ones. Owned by the recogniser's thread.

    A track gets its group with its first decision `unknown`. What is known of it goes to the keeper then, and
    once more when it ends; nothing is written here. Covered faces do not count: who is never seen without a
    mask has no group. Without `grouping`, nothing is kept of anybody.
    """

    def __init__(self, feed_id: str, grouping: Grouping | None = None) -> None:
        self._feed_id = feed_id
        self._grouping = grouping
        self._followed: dict[str, _Followed] = {}
        self._forgotten: set[str] = set()
        """Tracks of people who were removed while they were in view; they are in no group until they end."""

    def forget(self, track_ids: Iterable[str]) -> None:
        """Keep nothing of these tracks, whose people were removed: what is known of them is of before."""
        for track_id in track_ids:
            self._forgotten.add(track_id)
            self._followed.pop(track_id, None)

    def membership(self, track_id: str) -> Membership | None:
        """The group of a track, None where it has none."""
        if self._grouping is None or track_id not in self._followed:
            return None
        return self._grouping.book().membership(track_id)

    def weigh(self, track_id: str, face: Face, evidence: Evidence, verdict: Verdict, at: Moment) -> None:
        """Take note of a good face that was fused into the track's evidence, and of what is said since."""
        if self._grouping is None or face.embedding is None or face.quality is None or face.chip is None:
            return
        if track_id in self._forgotten:
            return
        followed = self._followed.setdefault(track_id, _Followed(at.utc_ms))
        if verdict is Verdict.KNOWN:
            self._withdraw(self._grouping, track_id, followed)
            return
        if face.quality.is_covered:
            # Behind masks, different people look alike.
            return
        candidate = Candidate(0, at.utc_ms / 1000, face.quality, face.chip, face.embedding)
        followed.faces = best_and_varied([*followed.faces, candidate], FACES_A_TRACK)
        if verdict is Verdict.UNKNOWN:
            effective = self._grouping.calibration.effective(evidence.faces, evidence.spread)
            followed.latest = UnknownTrack(
                track_id, evidence.fused(), effective, followed.first_seen_ms, at.utc_ms
            )
            self._group(self._grouping, followed.latest, followed, at)

    def ended(self, track_id: str) -> None:
        """The track has ended: tell what is known of it by now."""
        self._forgotten.discard(track_id)
        followed = self._followed.pop(track_id, None)
        if self._grouping is None or followed is None or followed.latest is None:
            return
        book = self._grouping.book()
        # By now it is known best who it is.
        _look_elsewhere(self._grouping, book, track_id)
        membership = book.membership(track_id)
        if membership is not None:
            self._grouping.tell(self._news(self._grouping, followed.latest, followed, membership))

    def close(self) -> None:
        """The feed ends, and every track with it."""
        for track_id in list(self._followed):
            self.ended(track_id)

    def _group(self, grouping: Grouping, track: UnknownTrack, followed: _Followed, at: Moment) -> None:
        book = grouping.book()
        if followed.told_ms is None:
            _, crowded_out = book.assign(track)
            for group_id in crowded_out:
                grouping.tell(CrowdedOut(group_id))
            _look_elsewhere(grouping, book, track.id)
            membership = book.membership(track.id)
        else:
            # A command may have taken the group away. What somebody wanted forgotten does not come back
            # while the track lasts: there would be no end of it as long as the person stands there.
            book.follow(track)
            membership = book.membership(track.id)
            if at.steady_ms - followed.told_ms < TOLD_EVERY_MS:
                return
        followed.told_ms = at.steady_ms
        if membership is not None:
            grouping.tell(self._news(grouping, track, followed, membership))

    def _withdraw(self, grouping: Grouping, track_id: str, followed: _Followed) -> None:
        followed.faces, followed.latest, followed.told_ms = [], None, None
        if grouping.book().withdraw(track_id):
            grouping.tell(UngroupedTrack(track_id))

    def _news(
        self, grouping: Grouping, track: UnknownTrack, followed: _Followed, membership: Membership
    ) -> GroupedTrack:
        return GroupedTrack(
            track_id=track.id,
            feed_id=self._feed_id,
            membership=membership,
            first_seen_ms=track.first_seen_ms,
            last_seen_ms=track.last_seen_ms,
            model_hash=grouping.model_hash,
            mean=track.mean,
            effective=track.effective,
            faces=tuple(
                StrangeFace(
                    embedding=one.embedding,
                    chip=one.chip if grouping.keep_chips else None,
                    quality=one.quality.score,
                    yaw_deg=one.quality.yaw_deg,
                    pitch_deg=one.quality.pitch_deg,
                    at_ms=round((one.at_s or 0) * 1000),
                )
                for one in followed.faces
            ),
        )


def _look_elsewhere(grouping: Grouping, book: GroupBook, track_id: str) -> None:
    """Have the track's group go by the id that another node knows the person by, where that is the older."""
    same = book.same_elsewhere(track_id)
    if same is not None:
        grouping.tell(same)
