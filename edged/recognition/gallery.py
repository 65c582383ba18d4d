"""The enrolled people of a namespace, as the recogniser compares with them."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final, TypeVar

import numpy as np

from edged.domain.face import EMBEDDING_SIZE, Embedding, Floats
from edged.domain.identity import GalleryChange, Identity, IdentityFaces
from edged.recognition.calibration import Calibration, spread_of


@dataclass(frozen=True, slots=True)
class Match:
    """The best identity for a probe.

    Attributes:
        identity: who fits best.
        pictures: how many enrolled faces are behind their template; repetitions count for less than one.
        similarity: cosine of probe and template, -1 to 1.
        adjusted: the same without what the crowds around probe and template cost: what decisions compare.
        margin: distance from the second best identity's adjusted similarity; 2 (the most a cosine can
            differ) where only one person is enrolled.
    """

    identity: Identity
    pictures: float
    similarity: float
    adjusted: float
    margin: float


T = TypeVar("T")

ALONE: Final = 2.0
"""Margin where there is no second identity."""
_LEAST_LENGTH: Final = 1e-3
"""Of a mean of unit vectors that points anywhere; below it, rounding would choose where."""


@dataclass(frozen=True, slots=True, eq=False)
class _Templates:
    """One row an identity: N x size float32 of unit length, N costs of the crowd, N effective pictures."""

    vectors: Floats
    costs: Floats
    pictures: Floats

    def at(self, rows: list[int]) -> "_Templates":
        return _Templates(self.vectors[rows], self.costs[rows], self.pictures[rows])


class Gallery:
    """An immutable snapshot; a change makes a new one, which the recogniser swaps in between frames.

    Each identity stands as one template, the normalised mean of its embeddings: on LFW it beats the best
    single picture (docs/recognition.md). Without a calibration, similarities are taken as they are.
    """

    __slots__ = ("_calibration", "_identities", "_size", "_templates", "revision")

    def __init__(
        self,
        revision: int,
        identities: tuple[Identity, ...],
        templates: _Templates,
        calibration: Calibration | None,
        size: int | None,
    ) -> None:
        self.revision = revision
        self._identities = identities
        self._templates = templates
        self._calibration = calibration
        self._size = size

    @classmethod
    def empty(cls, calibration: Calibration | None = None, size: int | None = None) -> "Gallery":
        """A gallery before anything was read: revision 0, nobody in it.

        `size` is that of the embedder's embeddings; None where whoever reads them knows that they are alike.
        """
        none = _Templates(
            np.empty((0, EMBEDDING_SIZE), np.float32), np.empty(0, np.float32), np.empty(0, np.float32)
        )
        return cls(0, (), none, calibration, size)

    def __len__(self) -> int:
        return len(self._identities)

    def with_change(self, change: GalleryChange) -> "Gallery":
        """The gallery after a change; templates of people who did not change are kept as they are.

        Who cannot be compared with anybody is not in it: embeddings of another size, or that cancel out.
        """
        gone = set(change.removed) | {faces.identity.id for faces in change.changed}
        kept = [row for row, identity in enumerate(self._identities) if identity.id not in gone]
        usable = tuple(faces for faces in change.changed if self._can_compare(faces))
        return Gallery(
            change.revision,
            (*_at(self._identities, kept), *(faces.identity for faces in usable)),
            _joined(self._templates.at(kept), self._made(usable)),
            self._calibration,
            self._size,
        )

    def absent(self, identity_ids: Collection[str]) -> frozenset[str]:
        """Those of these identities that are not in the gallery."""
        if not identity_ids:
            return frozenset()
        return frozenset(identity_ids).difference(identity.id for identity in self._identities)

    def best_match(self, probe: Embedding) -> Match | None:
        """Who fits a unit-length probe best; None where nobody is enrolled."""
        if not self._identities:
            return None
        adjusted = self._templates.vectors @ probe
        adjusted -= self._templates.costs
        best = int(adjusted.argmax())
        return self._match(adjusted, best, probe)

    def _match(self, adjusted: Floats, row: int, probe: Embedding) -> Match:
        best = float(adjusted[row])
        adjusted[row] = -3.0  # ours alone, just made: cheaper than a copy without the row
        cost = float(self._calibration.crowding(probe[None])[0]) if self._calibration else 0.0
        return Match(
            self._identities[row],
            float(self._templates.pictures[row]),
            similarity=best + float(self._templates.costs[row]),
            adjusted=best - cost,
            margin=ALONE if len(adjusted) == 1 else best - float(adjusted.max()),
        )

    def _made(self, people: tuple[IdentityFaces, ...]) -> _Templates | None:
        if not people:
            return None
        vectors = np.stack([_template(faces) for faces in people])
        counts = [(len(faces.embeddings), spread_of(faces.embeddings)) for faces in people]
        if self._calibration is None:
            costs, pictures = np.zeros(len(people), np.float32), [float(count) for count, _ in counts]
        else:
            costs = self._calibration.crowding(vectors)
            pictures = [self._calibration.effective(count, spread) for count, spread in counts]
        return _Templates(vectors, costs, np.array(pictures, np.float32))

    def _can_compare(self, faces: IdentityFaces) -> bool:
        """Whether they have a template; another node may have sent none, and what is no number would win."""
        if self._size is not None and faces.embeddings.shape[1] != self._size:
            return False
        # Written so that what is no number fails too.
        return bool(np.linalg.norm(faces.embeddings.mean(axis=0)) > _LEAST_LENGTH)


def _template(faces: IdentityFaces) -> Floats:
    mean = faces.embeddings.mean(axis=0)
    return np.asarray(mean / np.linalg.norm(mean), np.float32)


def _joined(kept: _Templates, made: _Templates | None) -> _Templates:
    if made is None:
        return kept
    if not len(kept.vectors):
        return made
    return _Templates(
        np.vstack([kept.vectors, made.vectors]),
        np.concatenate([kept.costs, made.costs]),
        np.concatenate([kept.pictures, made.pictures]),
    )


def _at(values: tuple[T, ...], rows: Iterable[int]) -> tuple[T, ...]:
    return tuple(values[row] for row in rows)
