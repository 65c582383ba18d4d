"""Unknown people, what a calibration says of their likeness, and what is told of their tracks."""

import numpy as np

from builders.namespaces import MODEL, random_chip
from edged.domain.face import EMBEDDING_SIZE, Embedding
from edged.domain.group import GroupedTrack, Membership, StrangeFace
from edged.domain.identifiers import derived_id
from edged.recognition.calibration import Calibration, Statistics
from edged.recognition.grouping import GroupBook, UnknownTrack, founded_id

DAY_MS = 86_400_000
THEN_MS = 1_700_000_000_000

CALIBRATION = Calibration(
    Statistics(
        data="made for tests: similarity .90 is asked for at 1 in 1,000 of twenty, more at stricter levels",
        photographs=1,
        people=1,
        made_by="tests",
        apart=0.05,
        tail=(-1.0, -0.3, 0.0, 0.0, 0.0),
        belief=(0.0, -1.0, 0.0),
    ),
    np.empty((0, EMBEDDING_SIZE), np.float32),
)
FALSE_MERGE = 1e-3


def a_book(*, most_groups: int = 500, new_visit_after_ms: int = 60_000) -> GroupBook:
    """A book with nobody in it."""
    return GroupBook(CALIBRATION, FALSE_MERGE, most_groups=most_groups, new_visit_after_ms=new_visit_after_ms)


def looks_of(person: int, *, view: int = 0, apart: float = 0.15) -> Embedding:
    """What a person looks like in one view: near to all their views, far from everybody else's."""
    vector = np.random.default_rng(person).normal(size=EMBEDDING_SIZE)
    vector /= np.linalg.norm(vector)
    leaning = np.random.default_rng((person + 1) * 1000 + view).normal(size=EMBEDDING_SIZE)
    vector += apart * leaning / np.linalg.norm(leaning)
    vector /= np.linalg.norm(vector)
    return vector.astype(np.float32)


def a_track_id(number: int) -> str:
    """The id of the track of that number."""
    return derived_id("track", number)


def an_unknown(number: int, person: int, *, at_ms: int = 0, effective: float = 2.0) -> UnknownTrack:
    """Track of that number, in which an unknown person is seen for a second."""
    begun_ms = THEN_MS + at_ms
    mean = looks_of(person, view=number)
    return UnknownTrack(a_track_id(number), mean, effective, begun_ms, begun_ms + 1000)


def a_grouped_track(
    number: int,
    person: int,
    *,
    group: str | None = None,
    seen_before: int = 0,
    faces: int = 2,
    chips: bool = False,
    at_ms: int = 0,
    feed_id: str = "hall",
    model: str = MODEL,
) -> GroupedTrack:
    """What the recogniser tells of such a track; without `group` it founds one."""
    begun_ms = THEN_MS + at_ms
    return GroupedTrack(
        track_id=a_track_id(number),
        feed_id=feed_id,
        membership=Membership(group or founded_id(a_track_id(number), ()), seen_before, begun_ms),
        first_seen_ms=begun_ms,
        last_seen_ms=begun_ms + 1000,
        model_hash=model,
        mean=looks_of(person, view=number),
        effective=2.0,
        faces=tuple(
            StrangeFace(
                embedding=looks_of(person, view=number * 100 + face),
                chip=random_chip(number * 100 + face) if chips else None,
                quality=0.5 + 0.01 * face,
                yaw_deg=10.0 * face,
                pitch_deg=0.0,
                at_ms=begun_ms + 200 * face,
            )
            for face in range(faces)
        ),
    )
