"""Probes decided by the daemon's own rule, split after split."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from edged.domain.face import Floats
from edged.domain.identity import GalleryChange, Identity, IdentityFaces
from edged.evaluation.draws import Cell, Draws, Rows, strangers_a_split
from edged.evaluation.faces import FaceSet
from edged.recognition.calibration import Calibration
from edged.recognition.decision import Decision, Rule, decide
from edged.recognition.evidence import Evidence
from edged.recognition.gallery import Gallery
from edged.settings.quantities import FalseAccept
from edged.settings.recognition import Recognition

LEVELS: Final = (1e-2, 1e-3, 1e-4)
"""What is asked of the calibration: shares of strangers taken for somebody."""

_LOOSEST: Final = 0.5
"""The rule that the curves sweep from: whom it does not know, no stricter one does."""

_FEWEST_SPLITS: Final = 10
_MOST_SPLITS: Final = 1000


@dataclass(frozen=True, slots=True, eq=False)
class Probes:
    """What was said of many probes.

    Attributes:
        person: P int32, who it really is.
        best: P int32, who of the gallery is most alike.
        similarity: P float64, to the best.
        false_accept: P float64: the least share of strangers taken for somebody at which the rule would say
            the best one's name; infinite where it would not at any.
        named: P x len(LEVELS) bool: whether the rule says the best one's name at the level.
        confidence: P float64, NaN where no name is said at any level.
    """

    person: NDArray[np.int32]
    best: NDArray[np.int32]
    similarity: NDArray[np.float64]
    false_accept: NDArray[np.float64]
    named: NDArray[np.bool_]
    confidence: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.person)

    @property
    def is_right(self) -> NDArray[np.bool_]:
        """Whether the best one is who it really is."""
        right: NDArray[np.bool_] = self.person == self.best
        return right


@dataclass(frozen=True, slots=True, eq=False)
class Decided:
    """All probes of a cell.

    Attributes:
        cell: the question.
        splits: how many galleries there were.
        friends: probes of enrolled people.
        strangers: probes of people who were not.
        own_friends: how many of the friends' probes do not share faces with others.
        own_strangers: how many of the strangers' probes do not meet the same people again.
    """

    cell: Cell
    splits: int
    friends: Probes
    strangers: Probes
    own_friends: int
    own_strangers: int


@dataclass(frozen=True, slots=True)
class Said:
    """What was said of one probe.

    Attributes:
        decision: of the loosest rule.
        best: number of the person who is most alike, whatever the decision.
        named: whether the name is said at each of LEVELS.
    """

    decision: Decision
    best: int
    named: tuple[bool, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Remembering(Calibration):
    """A calibration that works out the crowd around each probe once, however many galleries it meets."""

    known: dict[bytes, Floats] = field(default_factory=dict)

    def crowding(self, vectors: Floats) -> Floats:
        if len(vectors) > 1:
            return Calibration.crowding(self, vectors)
        key = vectors.tobytes()
        cost = self.known.get(key)
        if cost is None:
            cost = self.known[key] = Calibration.crowding(self, vectors)
        return cost


class Jury:
    """Decides probes as the daemon does, but at once: a probe has all the faces that it will ever have.

    Args:
        recognition: the daemon's settings; its `margin` holds.
        calibration: of the embedder.
    """

    def __init__(self, recognition: Recognition, calibration: Calibration) -> None:
        self.calibration = calibration = _Remembering(calibration.statistics, calibration.prototypes)
        at_once = msgspec.structs.replace(recognition, min_faces=1, unknown_after=1)
        self._loosest = Rule(_at(at_once, _LOOSEST), calibration)
        self._levels = [Rule(_at(at_once, level), calibration) for level in LEVELS]

    def say(self, evidence: Evidence, gallery: Gallery) -> Said:
        """What the rules say of a probe; the gallery's identities have the people's numbers as ids.

        A stricter rule knows nobody whom a looser one does not, so most strangers are decided once.
        """
        decision = decide(evidence, gallery, self._loosest)
        named = list[bool]()
        for rule in self._levels:
            is_named = decision.identity is not None and (not named or named[-1])
            named.append(is_named and decide(evidence, gallery, rule).identity is not None)
        match = gallery.best_match(evidence.fused())
        return Said(decision, int(match.identity.id) if match else -1, tuple(named))


def decided(
    faces: FaceSet,
    cell: Cell,
    jury: Jury,
    *,
    strangers: int,
    seed: int,
    tell: Callable[[float], None] = lambda _: None,
) -> Decided:
    """Split after split until so many strangers came by; the cell must be possible (`why_impossible`).

    Ten splits at least, a thousand at most: of few people there is no more to learn.
    """
    draws = Draws(faces, cell, seed)
    wanted = -(-strangers // strangers_a_split(faces.counts(), cell))
    splits = min(max(wanted, _FEWEST_SPLITS), _MOST_SPLITS)
    fused = _Fused(faces)
    friends, others = _Collected(), _Collected()
    for number in range(splits):
        split = draws.split(number)
        gallery = _gallery(faces, split.enrolled, jury.calibration)
        for person, rows in split.friends:
            friends.add(person, jury.say(fused.of(rows), gallery))
        for person, rows in split.strangers:
            others.add(person, jury.say(fused.of(rows), gallery))
        tell((number + 1) / splits)
    return _with_own(faces, cell, splits, friends.probes(), others.probes())


def _with_own(faces: FaceSet, cell: Cell, splits: int, friends: Probes, strangers: Probes) -> Decided:
    """With how much of all that is no repetition: each face once, each two people once."""
    own_friends = int((faces.counts()[np.unique(friends.person)] // cell.faces).sum())
    meetings = len(np.unique(strangers.person)) * int((faces.counts() >= cell.pictures).sum())
    own_strangers = max(1, meetings // cell.gallery)
    return Decided(
        cell,
        splits,
        friends,
        strangers,
        min(own_friends, len(friends)),
        min(own_strangers, len(strangers)),
    )


class _Fused:
    """The evidence of each probe, fused once however many galleries it meets."""

    def __init__(self, faces: FaceSet) -> None:
        self._faces = faces
        self._of: dict[Rows, Evidence] = {}

    def of(self, rows: Rows) -> Evidence:
        evidence = self._of.get(rows)
        if evidence is None:
            evidence = self._of[rows] = Evidence()
            for row in rows:
                evidence.add(self._faces.embeddings[row], float(self._faces.qualities[row]))
        return evidence


class _Collected:
    def __init__(self) -> None:
        self._rows: list[tuple[int, int, float, float, float]] = []
        self._named: list[tuple[bool, ...]] = []

    def add(self, person: int, said: Said) -> None:
        decision = said.decision
        is_known = decision.identity is not None
        self._rows.append(
            (
                person,
                said.best,
                -1.0 if decision.similarity is None else decision.similarity,
                decision.false_accept if is_known and decision.false_accept is not None else np.inf,
                decision.confidence if is_known and decision.confidence is not None else np.nan,
            )
        )
        self._named.append(said.named)

    def probes(self) -> Probes:
        table = np.array(self._rows, np.float64).reshape(len(self._rows), 5)
        return Probes(
            person=table[:, 0].astype(np.int32),
            best=table[:, 1].astype(np.int32),
            similarity=table[:, 2],
            false_accept=table[:, 3],
            named=np.array(self._named, np.bool_).reshape(len(self._named), len(LEVELS)),
            confidence=table[:, 4],
        )


def _gallery(faces: FaceSet, enrolled: Sequence[tuple[int, Rows]], calibration: Calibration) -> Gallery:
    changed = tuple(
        IdentityFaces(
            Identity(str(person), faces.names[person], None, 0, 0, len(rows)), faces.embeddings[list(rows)]
        )
        for person, rows in enrolled
    )
    return Gallery.empty(calibration).with_change(GalleryChange(1, changed, ()))


def _at(recognition: Recognition, level: float) -> Recognition:
    return msgspec.structs.replace(recognition, false_accept=FalseAccept(level))
